"""A trained flow as a safetensors file that states its own family and architecture."""

from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from nicelab.errors import InputError
from nicelab.flows import registry
from nicelab.flows.flow import Flow
from nicelab.images import shapes
from nicelab.images.shapes import Shape
from nicelab.pipeline.artifacts import read_weights, write_weights
from nicelab.pipeline.params import Section

_UNFIT = (KeyError, TypeError, ValueError, OverflowError, ValidationError, RuntimeError)


def save(path: Path, model: Flow, architecture: Section, shape: Shape, dataset: str) -> str:
    """Write the model's weights, its architecture, and what it was trained on.

    Args:
        path: where.
        model: the flow.
        architecture: of which it was built.
        shape: of the images.
        dataset: the name of the data.

    Returns:
        MD5 of the file.

    Raises:
        ValueError: the model is not finished, so that its weights are not those of its family.
    """
    with torch.device("meta"):
        plain = registry.build(architecture, shape)
    if extra := model.state_dict().keys() - plain.state_dict().keys():
        raise ValueError(f"finish() the model before it is saved: it has {sorted(extra)}")
    tensors = {name: w.detach().cpu().numpy() for name, w in model.state_dict().items()}
    header = {
        "architecture": architecture.model_dump(),
        "shape": list(shape),
        "dataset": dataset,
    }
    return write_weights(path, tensors, header)


def load(path: Path, device: torch.device) -> tuple[Flow, dict[str, Any]]:
    """Read a model, frozen, and its header.

    Raises:
        InputError: the file is damaged, was altered, or does not fit its own header.
    """
    tensors, header = read_weights(path)
    try:
        shape = header["shape"] = shapes.of(header["shape"])
        model = registry.rebuild(header["architecture"], shape)
        model.load_state_dict({name: torch.from_numpy(w) for name, w in tensors.items()})
        model.require_sound()
    except _UNFIT as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} does not fit its header ({reason}): train again") from None
    return model.requires_grad_(False).to(device), header
