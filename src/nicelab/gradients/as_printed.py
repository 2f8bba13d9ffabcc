"""The sheet's two estimators with their faults, for comparison.

Each is wrong in its τ-component by a factor of σ, which cannot be seen where σ = 1. That the
script of the first moves μ before it takes τ's gradient is left out: it moves σ by −2·10⁻⁵.
"""

import torch
from torch import Tensor

from nicelab.gradients.family import Function, place


def score_as_printed(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """The sheet's: (X − μ)²/σ in place of (X − μ)²/σ² in the τ-component."""
    y = noise[..., 0]
    _, sigma, x = place(point, y)
    return f.value(x)[..., None] * torch.stack([y / sigma, sigma * y**2 - 1], dim=-1)


def pathwise_as_printed(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """The sheet's: ∂X/∂τ = Y in place of σ Y."""
    y = noise[..., 0]
    _, _, x = place(point, y)
    return f.derivative(x)[..., None] * torch.stack([torch.ones_like(y), y], dim=-1)
