"""Baselines of the score function: what is subtracted from f(X), (*, batch or 1, 2 or 1)."""

from collections.abc import Callable

from torch import Tensor

from nicelab.gradients import family
from nicelab.gradients.family import Function
from nicelab.gradients.quadrature import FEW_NODES, gauss_hermite

Baseline = Callable[[Function, Tensor, Tensor], Tensor]  # of f, the point and f(X), (*, batch)


def optimal_baseline(f: Function, point: Tensor, values: Tensor) -> Tensor:
    """E[f s²] / E[s²] for each component of the score s, by quadrature (section 7.4.1)."""
    y, weights = gauss_hermite(FEW_NODES, point)
    _, sigma, x = family.place(point, y[:, 0])
    s2 = family.score(sigma, y[:, 0]) ** 2
    weighted = weights[:, None] * s2
    return ((weighted * f.value(x)[..., None]).sum(-2) / weighted.sum(-2))[..., None, :]


def leave_one_out(f: Function, point: Tensor, values: Tensor) -> Tensor:
    """The mean of the batch's other values (Kool, van Hoof and Welling, 2019)."""
    n = values.shape[-1]
    return ((values.sum(-1, keepdim=True) - values) / (n - 1))[..., None]
