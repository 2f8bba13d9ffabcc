"""What the estimators average over a batch: score function, pathwise, measure-valued, quadrature.

All take a function, points (*, 2) and noise (*, batch, d), and return (*, batch, 2).
"""

import math

import torch
from torch import Tensor

from nicelab.gradients import family, surrogates
from nicelab.gradients.baselines import Baseline
from nicelab.gradients.family import Function, Terms, place
from nicelab.gradients.quadrature import gauss_hermite
from nicelab.gradients.surrogates import Surrogate


def score(baseline: Baseline | None = None, surrogate: Surrogate | None = None) -> Terms:
    """(f(X) − T(X) − b) ∇ log p(X) + ∇ E[T(X)]."""

    def terms(f: Function, point: Tensor, noise: Tensor) -> Tensor:
        y = noise[..., 0]
        _, sigma, x = place(point, y)
        values = f.value(x)
        if surrogate:
            c = surrogate.coefficients(f, point)
            values = values - surrogates.series(c, y)
        centred = values[..., None]
        if baseline:
            centred = centred - baseline(f, point, values)
        gradient = centred * family.score(sigma, y)
        return gradient + surrogates.known_gradient(c, sigma) if surrogate else gradient

    return terms


def pathwise(surrogate: Surrogate | None = None) -> Terms:
    """(f′(X) − T′(X)) (1, σ Y) + ∇ E[T(X)]."""

    def terms(f: Function, point: Tensor, noise: Tensor) -> Tensor:
        y = noise[..., 0]
        _, sigma, x = place(point, y)
        slope = f.derivative(x)
        if surrogate:
            c = surrogate.coefficients(f, point)
            slope = slope - surrogates.slope(c, y) / sigma
        gradient = torch.stack([slope, slope * sigma * y], dim=-1)
        return gradient + surrogates.known_gradient(c, sigma) if surrogate else gradient

    return terms


def measure_valued(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """Both derivatives as differences of expectations, coupled (section 6.2, table 1).

        ∂_μ E f = E[f(μ + σ W) − f(μ − σ W)] / (σ √2π),    W Rayleigh (Weibull of shape 2)
        ∂_τ E f = E[f(μ + σ M) − f(μ + σ Y)],              M double-sided Maxwell

    Three normal numbers Z give all: Y = Z₁, W = ‖(Z₂, Z₃)‖ and M = sign(Z₁) ‖Z‖, so that Y is M
    times an independent uniform number.
    """
    mu, sigma, _ = place(point, noise[..., 0])
    w = noise[..., 1:].norm(dim=-1)
    m = noise[..., 0].sign() * noise.norm(dim=-1)
    return _differences(f, mu, sigma, (w, w), (m, noise[..., 0]))


def measure_valued_uncoupled(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """The same with all four distributions independent, from eight normal numbers."""
    mu, sigma, _ = place(point, noise[..., 0])
    w = noise[..., 1:3].norm(dim=-1), noise[..., 3:5].norm(dim=-1)
    m = noise[..., 5].sign() * noise[..., 5:8].norm(dim=-1)
    return _differences(f, mu, sigma, w, (m, noise[..., 0]))


def _differences(
    f: Function, mu: Tensor, sigma: Tensor, w: tuple[Tensor, Tensor], m: tuple[Tensor, Tensor]
) -> Tensor:
    by_mu = f.value(mu + sigma * w[0]) - f.value(mu - sigma * w[1])
    by_tau = f.value(mu + sigma * m[0]) - f.value(mu + sigma * m[1])
    return torch.stack([by_mu / (sigma * math.sqrt(2 * math.pi)), by_tau], dim=-1)


def quadrature(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """Gauss–Hermite: the pathwise terms at fixed nodes, as many as the batch, with weights.

    No estimate: it has no variance, and an error that falls fast with the number of nodes.
    """
    n = noise.shape[-2]
    y, weights = gauss_hermite(n, noise)
    terms = pathwise()(f, point, y.expand(*noise.shape[:-1], 1))
    return n * weights[:, None] * terms
