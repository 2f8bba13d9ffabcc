"""The floor that noise leaves: where stochastic descent with a fixed step comes to rest.

Near a zero θ* of the expected gradient with Jacobian J and second derivatives H_k, and with the
covariance C of the mean gradient of a batch, a step of rate η changes δ = θ − θ* by
−η (J δ + ½ δᵀ H δ + ξ), ξ ~ (0, C). So once it is stationary, to first order in η,

    S = (I − η J) S (I − η J)ᵀ + η² C,    E δ_k = −½ Σ_l (J⁻¹)_kl tr(H_l S)

are its covariance and the shift of its mean (Mandt, Hoffman and Blei, 2017, section 3, for S).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.linalg import solve_discrete_lyapunov
from scipy.optimize import root
from torch import Tensor

from nicelab.gradients.descent import expected_gradient
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.objective import F
from nicelab.gradients.quadrature import NODES, gauss_hermite


@dataclass(frozen=True)
class Floor:
    """Of (μ, σ): the fixed point, the shift of the mean, and the deviation, each (2,)."""

    fixed: np.ndarray
    shift: np.ndarray
    deviation: np.ndarray


def floor(name: str, near: Tensor, rate: float, batch: int) -> Floor:
    """Of descent with the named estimator, whose samples are independent.

    Args:
        name: of the estimator.
        near: a point (μ, τ) from which Newton's method finds θ*, float64.
        rate: η.
        batch: samples of a step.
    """
    expected, device = partial(expected_gradient, name), near.device

    def field(v: np.ndarray) -> np.ndarray:
        return expected(torch.from_numpy(v).to(device)).cpu().numpy()

    point = torch.from_numpy(root(field, near.cpu().numpy(), tol=1e-13).x).to(device)
    slope = torch.func.jacrev(expected)(point).cpu().numpy()
    curve = torch.func.jacrev(torch.func.jacrev(expected))(point).cpu().numpy()
    kept = np.eye(2) - rate * slope
    spread = solve_discrete_lyapunov(kept, rate**2 * covariance(name, point) / batch)
    shift = -np.linalg.solve(slope, np.einsum("kij,ij->k", curve, spread)) / 2
    mu, sigma = float(point[0]), float(point[1].exp())
    # σ = e^τ: to first order in η its mean is moved by σ (E δ_τ + S_ττ / 2).
    return Floor(
        fixed=np.array([mu, sigma]),
        shift=np.array([shift[0], sigma * (shift[1] + spread[1, 1] / 2)]),
        deviation=np.sqrt(np.diag(spread)) * [1, sigma],
    )


def covariance(name: str, point: Tensor) -> np.ndarray:
    """Of one sample's gradient by (μ, τ), shape (2, 2), by Gauss–Hermite quadrature."""
    y, weights = gauss_hermite(NODES, point)
    terms = ESTIMATORS[name].terms(F, point, y)
    centred = terms - (weights[:, None] * terms).sum(0)
    return ((weights[:, None] * centred).mT @ centred).cpu().numpy()
