"""A trained NICE as a safetensors file that states its own architecture."""

from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from nicelab.errors import InputError
from nicelab.flows.nice import NICE, Architecture
from nicelab.pipeline.artifacts import read_weights, write_weights


def save(path: Path, model: NICE, architecture: Architecture, dataset: str) -> None:
    """Write the model's weights, its architecture and the name of the data it was trained on."""
    tensors = {name: w.detach().cpu().numpy() for name, w in model.state_dict().items()}
    header = {
        "architecture": architecture.model_dump(),
        "dimensions": model.s.numel(),
        "dataset": dataset,
    }
    write_weights(path, tensors, header)


def load(path: Path, device: torch.device) -> tuple[NICE, dict[str, Any]]:
    """Read a model, frozen, and its header.

    Raises:
        InputError: the file is damaged, was altered, or does not fit its own header.
    """
    tensors, header = read_weights(path)
    try:
        model = NICE(header["dimensions"], Architecture(**header["architecture"]))
        model.load_state_dict({name: torch.from_numpy(w) for name, w in tensors.items()})
    except (KeyError, TypeError, ValueError, ValidationError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} does not fit its header ({reason}): train again") from None
    return model.requires_grad_(False).to(device), header
