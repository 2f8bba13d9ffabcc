"""What is differentiated: E[f(X)] over the family X = μ + σ Y, with Y standard normal.

A point of the family is (μ, τ) with τ = log σ; points are tensors (*, 2).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Function:
    """f and its first two derivatives, each elementwise."""

    value: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]
    second: Callable[[Tensor], Tensor]


# f, points (*, 2) and noise (*, n, d) → a gradient for each row of noise, (*, n, 2).
Terms = Callable[[Function, Tensor, Tensor], Tensor]


def place(point: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """μ and σ, shape (*, 1), and X = μ + σ y, shape (*, n)."""
    mu, tau = point[..., None].unbind(-2)
    sigma = tau.exp()
    return mu, sigma, mu + sigma * y


def score(sigma: Tensor, y: Tensor) -> Tensor:
    """∇ log p(X) = (Y/σ, Y² − 1), shape (*, n, 2)."""
    return torch.stack(torch.broadcast_tensors(y / sigma, y**2 - 1), dim=-1)
