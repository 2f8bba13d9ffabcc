"""Quadrature: nodes and weights that sum to 1, for a few distributions.

Each rule is computed in float64 and takes a tensor, `like`, whose dtype and device its nodes and
weights then have.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

NODES = 200  # of exact answers
FEW_NODES = 16  # of the quadratures that estimators themselves use
TAIL = 12.0  # standard deviations at which the normal distribution is cut for other rules

Rule = tuple[Tensor, Tensor]


def follow(array: np.ndarray, like: Tensor) -> Tensor:
    """The array as a tensor of that one's dtype and device."""
    return torch.as_tensor(array, dtype=like.dtype, device=like.device)


def gauss_hermite(nodes: int, like: Tensor) -> Rule:
    """Nodes, shape (nodes, 1), and weights, (nodes,), for the standard normal distribution."""
    y, weights = _hermite(nodes)
    return follow(y, like), follow(weights, like)


@cache
def _hermite(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    y, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return y[:, None], weights / weights.sum()


def uniform(like: Tensor) -> Rule:
    """Gauss–Legendre on [0, 1], nodes and weights of shape (NODES,)."""
    u, weights = _legendre()
    return follow(u, like), follow(weights, like)


@cache
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    t, weights = np.polynomial.legendre.leggauss(NODES)
    return (t + 1) / 2, weights / 2


def tanh_sinh(like: Tensor) -> Rule:
    """On [0, 1], with nodes that crowd at the ends, (2 NODES + 1,): for singularities there."""
    t = torch.linspace(-3.4, 3.4, 2 * NODES + 1, dtype=like.dtype, device=like.device)
    half_pi = torch.pi / 2
    u = torch.sigmoid(2 * half_pi * t.sinh())
    weights = u * torch.sigmoid(-2 * half_pi * t.sinh()) * t.cosh()
    return u, weights / weights.sum()


def maxwell(like: Tensor) -> Rule:
    """For the length of three standard normal numbers."""
    return _radial(lambda r: r**2 * (-(r**2) / 2).exp(), like)


def rayleigh(like: Tensor) -> Rule:
    """For the length of two standard normal numbers."""
    return _radial(lambda r: r * (-(r**2) / 2).exp(), like)


def _radial(density: Callable[[Tensor], Tensor], like: Tensor) -> Rule:
    """For a density on [0, TAIL], by Gauss–Legendre."""
    u, weights = uniform(like)
    weights = weights * density(TAIL * u)
    return TAIL * u, weights / weights.sum()


def weighted_variance(values: Tensor, weights: Tensor) -> Tensor:
    """Variance of values (*, n, k) under weights (*, n) that sum to 1; shape (*, k)."""
    weights = weights[..., None]
    centre = (weights * values).sum(-2, keepdim=True)
    return (weights * (values - centre) ** 2).sum(-2)
