"""Exact variances that a quadrature over a noise's one dimension does not give.

Each is that of the mean over a batch, times the batch, shape (*, 2), at points (*, 2).
"""

import math

import torch
from torch import Tensor

from nicelab.gradients import family
from nicelab.gradients.family import Function, place
from nicelab.gradients.quadrature import (
    NODES,
    Rule,
    gauss_hermite,
    maxwell,
    rayleigh,
    uniform,
    weighted_variance,
)
from nicelab.gradients.terms import measure_valued


def of_leave_one_out(f: Function, point: Tensor, batch: int) -> Tensor:
    """That of the sample covariance of f(X) and the score, which this estimator is."""
    y, weights = gauss_hermite(NODES, point)
    _, sigma, x = place(point, y[:, 0])
    weights = weights[:, None]
    a, b = f.value(x)[..., None], family.score(sigma, y[:, 0])
    a, b = (v - (weights * v).sum(-2, keepdim=True) for v in (a, b))
    ab, aabb, aa, bb = ((weights * v).sum(-2) for v in (a * b, (a * b) ** 2, a**2, b**2))
    return aabb - (batch - 2) / (batch - 1) * ab**2 + aa * bb / (batch - 1)


def of_measure_valued(f: Function, point: Tensor, batch: int) -> Tensor:
    """By quadrature over ‖Z‖ and |Z₁|/‖Z‖ on both sides."""
    (r, lengths), (u, shares) = maxwell(point), uniform(point)
    r, u = (a.flatten() for a in torch.meshgrid(r, u, indexing="ij"))
    weights = (lengths[:, None] * shares).flatten()
    half = torch.stack([r * u, r * (1 - u**2).sqrt(), torch.zeros_like(u)], dim=-1)
    noise = torch.cat([half, half * half.new_tensor([-1, 1, 1])])
    return weighted_variance(measure_valued(f, point, noise), torch.cat([weights, weights]) / 2)


def of_measure_valued_uncoupled(f: Function, point: Tensor, batch: int) -> Tensor:
    """The sum of those of the four independent terms."""
    sigma = point[..., 1:].exp()
    w, across = rayleigh(point)
    m, along = maxwell(point)
    y, normal = gauss_hermite(NODES, point)
    to_either_side = _spread(f, point, (w, across)) + _spread(f, point, (-w, across))
    by_mu = to_either_side / (2 * math.pi * sigma**2)
    on_both_sides = torch.cat([m, -m]), torch.cat([along, along]) / 2
    by_tau = _spread(f, point, on_both_sides) + _spread(f, point, (y[:, 0], normal))
    return torch.cat([by_mu, by_tau], dim=-1)


def _spread(f: Function, point: Tensor, rule: Rule) -> Tensor:
    """Variance of f(μ + σ y) for y distributed as the rule says, (*, 1)."""
    y, weights = rule
    return weighted_variance(f.value(place(point, y)[2])[..., None], weights)


def of_quadrature(f: Function, point: Tensor, batch: int) -> Tensor:
    """None: nothing is random."""
    return torch.zeros_like(point)
