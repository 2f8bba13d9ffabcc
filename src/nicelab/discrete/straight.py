"""Exact means and variances of the straight-through estimators, which are biased.

Each component is ∂f/∂z_i at the bits times a number s_i that given b_i is independent of the other
bits, so both moments are sums over outcomes of that derivative's, with those of s_i given b_i.
"""

import numpy as np
import torch
from torch import Tensor

from nicelab.discrete.objectives import Objective, outcomes

NODES = 256  # of Gauss and Legendre's rule on either side of Z = 0
REACH = 40.0  # beyond |θ|, where the density of Z is below 10⁻¹⁷


def mean_straight_through(objective: Objective) -> Tensor:
    """E[∂f/∂z] p (1 − p), shape (m, k)."""
    return _moment(objective, _fixed_factor(objective, 1), 1)


def mean_gumbel(objective: Objective) -> Tensor:
    """E[σ(Z) (1 − σ(Z)) ∂f/∂z], shape (m, k)."""
    return _moment(objective, _random_factor(objective, 1), 1)


def of_straight_through(objective: Objective, batch: int) -> Tensor:
    """Variance, summed over all components."""
    squares = _moment(objective, _fixed_factor(objective, 2), 2)
    return (squares - mean_straight_through(objective) ** 2).sum()


def of_gumbel(objective: Objective, batch: int) -> Tensor:
    """Variance, summed over all components."""
    squares = _moment(objective, _random_factor(objective, 2), 2)
    return (squares - mean_gumbel(objective) ** 2).sum()


def _moment(objective: Objective, factor: Tensor, power: int) -> Tensor:
    """E[(s_i ∂f/∂z_i)^power] with factor E[s_i^power | b_i], shape (2, m, k)."""
    bits, probability = outcomes(objective.logits)
    of_factor = torch.where(bits == 1, factor[1], factor[0])
    return (probability[..., None] * objective.derivative(bits) ** power * of_factor).sum(0)


def _fixed_factor(objective: Objective, power: int) -> Tensor:
    p = objective.logits.sigmoid()
    return ((p * (1 - p)) ** power).expand(2, *p.shape)


def _random_factor(objective: Objective, power: int) -> Tensor:
    """E[(σ(Z) (1 − σ(Z)))^power | b] for b = 0, Z ≤ 0, and b = 1."""
    theta = objective.logits
    x, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(NODES))
    reach = REACH + float(theta.abs().max())
    z = torch.stack([(x - 1) / 2, (x + 1) / 2]) * reach  # (2, nodes)
    density = _slope(z[:, None, None] - theta[..., None])  # (2, m, k, nodes)
    both = torch.stack([(-theta).sigmoid(), theta.sigmoid()])  # probabilities of Z ≤ 0 and > 0
    integral = (weights * density * _slope(z)[:, None, None] ** power).sum(-1) * reach / 2
    return integral / both


def _slope(z: Tensor) -> Tensor:
    """σ′(z), which is the logistic density as well."""
    return z.sigmoid() * (-z).sigmoid()
