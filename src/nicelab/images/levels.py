"""Images as numbers: dequantisation, split, bits per dimension.

A pixel is one of 256 levels. Adding uniform noise makes it continuous,

    x = (pixel + u) / 256,  u ~ U[0, 1),

so a density p(x) on [0, 1]^D bounds the probability of the discrete image:
log₂ P(image) ≥ E_u[log₂ p(x)] − 8 D (Theis, van den Oord and Bethge, 2016, section 3.1).
"""

import math

import numpy as np
import torch
from torch import Tensor

LEVELS = 256


def dequantise(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Continuous images from grey levels, with fresh noise for every pixel of every image.

    The noise has 16 bits: with the 8 of a level, x has the 24 of a float32, and is never rounded
    to 1 or to another level.

    Args:
        pixels: levels 0–255, shape (*, D), dtype uint8.
        generator: the source of the noise, on the device of `pixels`.

    Returns:
        float32 in [0, 1), shape (*, D).
    """
    words = torch.empty(-(-pixels.numel() // 4), dtype=torch.int64, device=pixels.device)
    words.random_(-(2**63), None, generator=generator)
    noise = words.view(torch.int16)[: pixels.numel()].view(pixels.shape)
    return ((pixels.int() << 16) + (noise.int() + (1 << 15))).float() / (LEVELS << 16)


def moments(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each dequantised pixel, from levels of shape (n, D)."""
    x = pixels.double()
    variance = x.var(0, correction=0) + 1 / 12  # the noise adds that of U[0, 1)
    return ((x.mean(0) + 0.5) / LEVELS).float(), (variance.sqrt() / LEVELS).float()


def scale(pixels: np.ndarray) -> np.ndarray:
    """Grey levels 0–255 as numbers 0–1 without noise, float32 (torchvision's `ToTensor`)."""
    return (pixels / np.float32(LEVELS - 1)).astype(np.float32)


def centre(grey: Tensor) -> Tensor:
    """The middle of each grey level on the scale of `dequantise`: (255 grey + ½) / 256."""
    return ((LEVELS - 1) * grey + 0.5) / LEVELS


def grey(x: Tensor) -> Tensor:
    """What `centre` undoes: numbers on the scale of `dequantise` as grey for a reader."""
    return (LEVELS * x - 0.5) / (LEVELS - 1)


def split(count: int, held_out: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Indices of a random split into (kept, held out), each in increasing order."""
    order = torch.randperm(count, generator=generator)
    return order[held_out:].sort().values, order[:held_out].sort().values


def bits_per_dim(log_likelihood: float, dimensions: int) -> float:
    """Bits per pixel from nats per image of a density on [0, 1]^D: 8 − LL / (D ln 2)."""
    return math.log2(LEVELS) - log_likelihood / (dimensions * math.log(2))
