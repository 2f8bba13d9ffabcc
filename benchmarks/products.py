"""Rates of matrix products, which bound a training step."""

from collections.abc import Callable

import torch
from torch import nn


def multiplications(model: nn.Module, batch: int) -> int:
    """Multiplications and additions in a step: each matrix forward, and twice backward."""
    return 6 * batch * sum(w.numel() for w in model.parameters() if w.ndim == 2)


def one_product(
    rows: int, width: int, dtype: torch.dtype, device: torch.device
) -> Callable[[], object]:
    """A product of rows × width by width × width, whose factors are always the same."""
    a, b = (torch.randn(n, width).to(device, dtype) for n in (rows, width))
    return lambda: a @ b


def steps_products(
    model: nn.Module, batch: int, dtype: torch.dtype, device: torch.device
) -> Callable[[], None]:
    """The products of a whole step of this model, and nothing else."""
    weights = [w.detach().to(device, dtype) for w in model.parameters() if w.ndim == 2]
    sizes = {n for w in weights for n in w.shape}
    by_size = {n: torch.randn(batch, n).to(device, dtype) for n in sizes}

    def step() -> None:
        for w in weights:
            by_size[w.shape[1]] @ w.T
        for w in weights:
            x, slope = by_size[w.shape[1]], by_size[w.shape[0]]
            slope @ w
            slope.T @ x

    return step
