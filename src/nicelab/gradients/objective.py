"""The objective of problem 6 and its exact answers.

    L(μ, τ) = E[X sin X] + (μ − 1)²/2 + σ − τ,    X ~ N(μ, σ²),  σ = e^τ
    E[X sin X] = e^{−σ²/2} (μ sin μ + σ² cos μ)

A point is a tensor (*, 2) of (μ, τ).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.optimize import root
from torch import Tensor

from nicelab.gradients.family import Function


def f(x: Tensor) -> Tensor:
    """The function x sin x, whose expectation is to be minimised."""
    return x * x.sin()


def f_derivative(x: Tensor) -> Tensor:
    """Its derivative sin x + x cos x."""
    return x.sin() + x * x.cos()


def f_second(x: Tensor) -> Tensor:
    """Its second derivative 2 cos x − x sin x."""
    return 2 * x.cos() - x * x.sin()


F = Function(f, f_derivative, f_second)


def value(point: Tensor) -> Tensor:
    """L, shape (*)."""
    mu, tau = point.unbind(-1)
    return _expectation(mu, tau.exp()) + (mu - 1) ** 2 / 2 + tau.exp() - tau


def gradient(point: Tensor) -> Tensor:
    """(∂L/∂μ, ∂L/∂τ), shape (*, 2)."""
    return expectation_gradient(point) + deterministic_gradient(point)


def expectation_gradient(point: Tensor) -> Tensor:
    """Gradient of E[X sin X], the part that the estimators estimate, shape (*, 2)."""
    mu, tau = point.unbind(-1)
    sigma2, damping = (2 * tau).exp(), (-(2 * tau).exp() / 2).exp()
    sin, cos = mu.sin(), mu.cos()
    by_mu = damping * (sin + mu * cos - sigma2 * sin)
    by_tau = damping * sigma2 * ((2 - sigma2) * cos - mu * sin)
    return torch.stack([by_mu, by_tau], dim=-1)


def hessian(point: Tensor) -> Tensor:
    """Second derivatives of L by (μ, τ), shape (*, 2, 2)."""
    mu, tau = point.unbind(-1)
    sigma2, damping = (2 * tau).exp(), (-(2 * tau).exp() / 2).exp()
    sin, cos = mu.sin(), mu.cos()
    mu_mu = damping * (2 * cos - mu * sin - sigma2 * cos) + 1
    mu_tau = damping * sigma2 * ((sigma2 - 3) * sin - mu * cos)
    curve = (4 - 6 * sigma2 + sigma2**2) * cos + (sigma2 - 2) * mu * sin
    tau_tau = damping * sigma2 * curve + tau.exp()
    rows = torch.stack([mu_mu, mu_tau], dim=-1), torch.stack([mu_tau, tau_tau], dim=-1)
    return torch.stack(rows, dim=-2)


def deterministic_gradient(point: Tensor) -> Tensor:
    """Gradient of (μ − 1)²/2 + σ − τ, shape (*, 2)."""
    mu, tau = point.unbind(-1)
    return torch.stack([mu - 1, tau.exp() - 1], dim=-1)


def expectation(point: Tensor) -> Tensor:
    """E[X sin X], shape (*)."""
    mu, tau = point.unbind(-1)
    return _expectation(mu, tau.exp())


def _expectation(mu: Tensor, sigma: Tensor) -> Tensor:
    return (-(sigma**2) / 2).exp() * (mu * mu.sin() + sigma**2 * mu.cos())


@dataclass(frozen=True)
class Stationary:
    """A point where the gradient vanishes; `kind` is `minimum`, `saddle` or `maximum`."""

    mu: float
    sigma: float
    loss: float
    kind: str


@cache
def stationary_points() -> tuple[Stationary, ...]:
    """All stationary points with −2 ≤ μ ≤ 4 and 0.1 ≤ σ ≤ 4, the lowest minimum first.

    Newton's method from a grid of starts, each end classified by the Hessian's eigenvalues.
    """
    found: list[Tensor] = []
    for mu in np.linspace(-2, 4, 13):
        for tau in np.log(np.linspace(0.1, 4, 13)):
            point = _root(mu, tau)
            if point is not None and not any(torch.dist(point, f) < 1e-6 for f in found):
                found.append(point)
    order = {"minimum": 0, "saddle": 1, "maximum": 2}
    return tuple(sorted(map(_classify, found), key=lambda s: (order[s.kind], s.loss)))


def minima(like: Tensor) -> Tensor:
    """The minima as (μ, τ), the lowest first, shape (k, 2), with that dtype and device."""
    places = [(s.mu, s.sigma) for s in stationary_points() if s.kind == "minimum"]
    mu, sigma = torch.tensor(places, dtype=like.dtype, device=like.device).unbind(-1)
    return torch.stack([mu, sigma.log()], dim=-1)


def _root(mu: float, tau: float) -> Tensor | None:
    """Where Newton's method ends from here, if that is a stationary point in the plane's part."""
    solution = root(lambda v: gradient(torch.from_numpy(v)).numpy(), [mu, tau], tol=1e-14)
    point = torch.from_numpy(solution.x)
    inside = -2 <= point[0] <= 4 and 0.1 <= point[1].exp() <= 4
    return point if inside and float(gradient(point).abs().max()) < 1e-10 else None


def _classify(point: Tensor) -> Stationary:
    curvatures = torch.linalg.eigvalsh(hessian(point))
    negative = int((curvatures < 0).sum())
    kind = ("minimum", "saddle", "maximum")[negative]
    return Stationary(float(point[0]), float(point[1].exp()), float(value(point)), kind)
