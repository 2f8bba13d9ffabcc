"""In which precision matrices are multiplied."""

from contextlib import nullcontext
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]
Choice = Literal["auto", "float32", "bfloat16"]


def resolve(choice: Choice, device: torch.device) -> Precision:
    """The precision that is meant on this device.

    `auto` is bfloat16 where the hardware has instructions for its products, else float32. It is
    read from what the hardware says of itself, never from a timing, so that a machine decides the
    same each time.
    """
    if choice != "auto":
        return choice
    return "bfloat16" if _multiplies_bfloat16(device) else "float32"


def autocast(precision: Precision, device: torch.device) -> torch.autocast | nullcontext:
    """Matrix products in this precision; other operations stay in that of their inputs."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        features = torch.cpu.get_capabilities()
        return bool(features.get("avx512_bf16") or features.get("amx_bf16"))
    return False
