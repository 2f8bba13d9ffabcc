"""The floor that noise leaves: where stochastic descent with a fixed step comes to rest.

Near a zero θ* of the expected gradient with Jacobian J and second derivatives H_k, and with the
covariance C of the mean gradient of a batch, a step of rate η changes δ = θ − θ* by
−η (J δ + ½ δᵀ H δ + ξ), ξ ~ (0, C). So once it is stationary, to first order in η,

    S = (I − η J) S (I − η J)ᵀ + η² C,    E δ_k = −½ Σ_l (J⁻¹)_kl tr(H_l S)

are its covariance and the shift of its mean (Mandt, Hoffman and Blei, 2017, section 3, for S).
An estimator that is not unbiased has a field of its own: its J is not symmetric.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.linalg import solve_discrete_lyapunov
from scipy.optimize import root
from torch import Tensor

from nicelab.gradients import objective
from nicelab.gradients.descent import expected_gradient
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.objective import F


@dataclass(frozen=True)
class Floor:
    """Of (μ, σ): the fixed point, the shift of the mean, and the deviation, each (2,)."""

    fixed: np.ndarray
    shift: np.ndarray
    deviation: np.ndarray


def floor(name: str, near: Tensor, rate: float, batch: int) -> Floor:
    """Of descent with the named estimator.

    Args:
        name: of the estimator.
        near: a point (μ, τ) from which Newton's method finds θ*, float64.
        rate: η.
        batch: samples of a step.

    Raises:
        ValueError: the covariance of its noise is not known.
    """
    expected = partial(expected_gradient, name)
    point = _zero(expected, near)
    slope = torch.func.jacrev(expected)(point).cpu().numpy()
    curve = torch.func.jacrev(torch.func.jacrev(expected))(point).cpu().numpy()
    spread = stationary(slope, covariance(name, point, batch) / batch, rate)
    shift = -np.linalg.solve(slope, np.einsum("kij,ij->k", curve, spread)) / 2
    mu, sigma = float(point[0]), float(point[1].exp())
    # σ = e^τ: to first order in η its mean is moved by σ (E δ_τ + S_ττ / 2).
    return Floor(
        fixed=np.array([mu, sigma]),
        shift=np.array([shift[0], sigma * (shift[1] + spread[1, 1] / 2)]),
        deviation=np.sqrt(np.diag(spread)) * [1, sigma],
    )


def least_excess(name: str, minimum: Tensor, rate: float, batch: int) -> float:
    """Mean loss above a minimum (μ, τ) at which an unbiased estimator's descent stays: ½ tr(H S).

    To first order in η; H is the loss's Hessian there.

    Raises:
        ValueError: the covariance of the estimator's noise is not known.
    """
    hessian = objective.hessian(minimum).cpu().numpy()
    spread = stationary(hessian, covariance(name, minimum, batch) / batch, rate)
    return float(np.trace(hessian @ spread) / 2)


def stationary(slope: np.ndarray, noise: np.ndarray, rate: float) -> np.ndarray:
    """S, shape (2, 2), of J and C of the same shape; J need not be symmetric."""
    return solve_discrete_lyapunov(np.eye(2) - rate * slope, rate**2 * noise)


def covariance(name: str, point: Tensor, batch: int) -> np.ndarray:
    """Of a batch's mean gradient by (μ, τ), times the batch, shape (2, 2), by quadrature.

    Twice the covariance of a and b is the variance of a + b, less those of a and of b.

    Raises:
        ValueError: the noise is no quadrature over one dimension.
    """
    estimator = ESTIMATORS[name]
    if estimator.exact:
        raise ValueError(f"the covariance of {name} is not known by quadrature over its noise")

    def values(y: Tensor) -> Tensor:
        terms = estimator.terms(F, point, y)
        return torch.cat([terms, terms.sum(-1, keepdim=True)], dim=-1)

    mu, tau, both = estimator.noise.variance(values, batch, point).tolist()
    across = (both - mu - tau) / 2
    return np.array([[mu, across], [across, tau]])


def _zero(expected: Callable[[Tensor], Tensor], near: Tensor) -> Tensor:
    """Where the expected gradient vanishes, (μ, τ), by Newton's method from nearby."""

    def field(v: np.ndarray) -> np.ndarray:
        return expected(torch.from_numpy(v).to(near.device)).cpu().numpy()

    return torch.from_numpy(root(field, near.cpu().numpy(), tol=1e-13).x).to(near.device)
