"""What the methods need of a model: log p(x), its gradient, and how far apart pixels may vary."""

from collections.abc import Callable

import torch
from torch import Tensor

from nicelab.machine.precision import Precision, autocast

Density = Callable[[Tensor], Tensor]  # images (*, D) to log p in nats, (*)
Field = Callable[[Tensor], Tensor]  # images (*, D) to a vector each, (*, D)

BATCH = 4096  # images at once: bounds the memory


def gradient(density: Density, x: Tensor) -> tuple[Tensor, Tensor]:
    """The log density in nats, shape (*), and ∇ log p(x), shape (*, D)."""
    pairs = [_gradient(density, part) for part in x.reshape(-1, x.shape[-1]).split(BATCH)]
    log_prob, by_x = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return log_prob.view(x.shape[:-1]), by_x.view(x.shape)


def score(density: Density, precision: Precision) -> Field:
    """X → ∇ log p(x), with the matrix products in this precision."""

    def field(x: Tensor) -> Tensor:
        with autocast(precision, x.device):
            return gradient(density, x)[1]

    return field


@torch.no_grad()
def evaluate(density: Density, x: Tensor) -> Tensor:
    """The log density alone, shape (*)."""
    parts = x.reshape(-1, x.shape[-1]).split(BATCH)
    return torch.cat([density(part) for part in parts]).view(x.shape[:-1])


def _gradient(density: Density, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.detach().requires_grad_(True)
    with torch.enable_grad():
        log_prob = density(x)
        (by_x,) = torch.autograd.grad(log_prob.sum(), x)
    return log_prob.detach(), by_x


def fisher_information(density: Density, x: Tensor) -> Tensor:
    """F = E[∇ log p(x) ∇ log p(x)ᵀ], the mean precision of p, shape (D, D), in float64.

    For x drawn from p it is E[−∇² log p(x)], so F_ii^(−1/2) is the scale on which pixel i varies
    when the others are known, and F restricted to the hidden pixels is a mean precision of theirs
    when the rest is observed. Its inverse is the preconditioner that is best for Langevin
    sampling (Titsias, 2023, "Optimal preconditioning and Fisher adaptive Langevin sampling").

    Args:
        density: log p.
        x: draws from p, shape (n, D).
    """
    total = torch.zeros(x.shape[-1], x.shape[-1], dtype=torch.float64, device=x.device)
    for part in x.split(BATCH):
        score = gradient(density, part)[1].double()
        total += score.mT @ score
    return total / len(x)
