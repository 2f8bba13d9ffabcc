"""How well chains mix: scalars of their states, and what R-hat and sample size say of those."""

import numpy as np
import torch
from arviz_stats.base import array_stats
from torch import Tensor

from nicelab.images.shapes import Shape

HUGE = 1e9  # R-hat where it would be infinite


def scalars(x: Tensor, log_prob: Tensor, hidden: Tensor, shape: Shape) -> Tensor:
    """The log density, and the sum of the hidden grey in the upper, lower, left and right half.

    Args:
        x: shape (n, chains, D).
        log_prob: shape (n, chains).
        hidden: shape (n, D).
        shape: of an image.

    Returns:
        Shape (n, 5, chains), float64.
    """
    on_hidden = torch.where(hidden[:, None], x, 0).double().unflatten(-1, shape).sum(-3)
    sums = on_hidden.sum(-1), on_hidden.sum(-2)  # of rows and of columns
    middles = [v.shape[-1] // 2 for v in sums]
    halves = [
        part.sum(-1)
        for v, middle in zip(sums, middles, strict=True)
        for part in (v[..., :middle], v[..., middle:])
    ]
    return torch.stack([log_prob.double(), *halves], 1)


def mixing(scalars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The worst R-hat over scalars and the least effective sample size of the bulk, each (n,).

    Both are rank-normalised and split (Vehtari et al., 2021). R-hat is huge where no chain
    moved. Scalars that cannot vary, since nothing there is hidden, do not count.

    Args:
        scalars: shape (n, scalars, chains, draws).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        found, sizes = array_stats.rhat(scalars), array_stats.ess(scalars)
    varies = scalars.var((-2, -1)) > 0
    stuck = np.where(varies, HUGE, 0)
    sizes = np.where(varies & np.isfinite(sizes), sizes, np.where(varies, 1.0, np.inf))
    return np.where(np.isfinite(found), found, stuck).max(-1), sizes.min(-1)
