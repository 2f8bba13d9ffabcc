"""Surrogates of f whose expected gradient is known: f(X) ≈ T(X) = Σ_k c_k He_k(Y).

He_k are Hermite's polynomials, of which E[He_k(Y)] = 0 for k > 0; the gradient of E[T(X)], with T
as a function of X held fixed, is (c_1/σ, 2 c_2).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nicelab.gradients.family import Function, place
from nicelab.gradients.quadrature import FEW_NODES, gauss_hermite


@dataclass(frozen=True)
class Surrogate:
    """Coefficients c_0, c_1, … for a function and points (*, 2), shape (*, k), and their cost."""

    coefficients: Callable[[Function, Tensor], Tensor]
    evaluations: int = 0


def taylor(order: int) -> Surrogate:
    """The Taylor polynomial of f about μ, of first or second order (section 7.4)."""

    def coefficients(f: Function, point: Tensor) -> Tensor:
        mu, sigma = point[..., 0], point[..., 1].exp()
        linear = [f.value(mu), sigma * f.derivative(mu)]
        if order == 1:
            return torch.stack(linear, dim=-1)
        half = sigma**2 * f.second(mu) / 2  # (X − μ)² = σ² (He_2(Y) + 1)
        return torch.stack([linear[0] + half, linear[1], half], dim=-1)

    return Surrogate(coefficients, order + 1)


def hermite(degree: int) -> Surrogate:
    """The projection of f on polynomials of this degree, by quadrature; degree 0 is E f."""

    def coefficients(f: Function, point: Tensor) -> Tensor:
        nodes, weights = gauss_hermite(FEW_NODES, point)
        y = nodes[:, 0]
        values = weights * f.value(place(point, y)[2])
        units = torch.eye(degree + 1, dtype=point.dtype, device=point.device)
        basis = [series(unit, y) / math.factorial(k) for k, unit in enumerate(units)]
        return torch.stack([(values * h).sum(-1) for h in basis], dim=-1)

    return Surrogate(coefficients, FEW_NODES)


def series(c: Tensor, y: Tensor) -> Tensor:
    """Σ_k c_k He_k(y) for c of shape (*, k) and y of shape (*, n), shape (*, n)."""
    total, before, now = torch.zeros_like(y), torch.zeros_like(y), torch.ones_like(y)
    for k in range(c.shape[-1]):
        total = total + c[..., k, None] * now
        before, now = now, y * now - k * before
    return total


def slope(c: Tensor, y: Tensor) -> Tensor:
    """Derivative by y of the series: Σ_k k c_k He_{k−1}(y)."""
    k = torch.arange(1, c.shape[-1], dtype=c.dtype, device=c.device)
    return series(k * c[..., 1:], y)


def known_gradient(c: Tensor, sigma: Tensor) -> Tensor:
    """Gradient of E[Σ c_k He_k(Y)] as a function of x, shape (*, 1, 2)."""
    c = torch.nn.functional.pad(c, (0, 3 - c.shape[-1])) if c.shape[-1] < 3 else c
    return torch.stack([c[..., 1, None] / sigma, 2 * c[..., 2, None].expand_as(sigma)], dim=-1)
