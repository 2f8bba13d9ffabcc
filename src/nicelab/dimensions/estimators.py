"""Estimators of ∇ E[f(X)], X ~ N(μ, diag σ²), in d dimensions.

One contract: an estimator takes an objective and standard normal noise (*, batch, d, k), and
returns a gradient for each sample, (*, batch, 2, d), whose mean over the batch estimates the
gradient; it states how often it evaluates f or its derivative for a sample. After Mohamed, Rosca,
Figurnov and Mnih (2020), sections 4 to 6.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nicelab.dimensions import variances
from nicelab.dimensions.objectives import Objective, Separable

Terms = Callable[[Objective, Tensor], Tensor]


@dataclass(frozen=True)
class Estimator:
    """Terms, their cost in d dimensions, normal numbers for a component, and the exact variance.

    `exact` gives the variance of the mean over a batch for a separable objective, summed over all
    2d components, times the batch.
    """

    label: str
    terms: Terms
    evaluations: Callable[[int], int]
    exact: Callable[[Separable, int], Tensor]
    noise: int = 1


def place(objective: Objective, y: Tensor) -> tuple[Tensor, Tensor]:
    """σ, shape (d,), and X = μ + σ y, shape of y (*, d)."""
    mu, tau = objective.point
    return tau.exp(), mu + tau.exp() * y


def score(objective: Objective, noise: Tensor) -> Tensor:
    """f(X) ∇ log p(X), ∇ log p = (Y/σ, Y² − 1)."""
    y = noise[..., 0]
    sigma, x = place(objective, y)
    return objective.value(x)[..., None, None] * _score(sigma, y)


def score_leave_one_out(objective: Objective, noise: Tensor) -> Tensor:
    """(f(X) less the mean of the batch's other values) ∇ log p(X)."""
    y = noise[..., 0]
    sigma, x = place(objective, y)
    values, n = objective.value(x), y.shape[-2]
    centred = (values - values.mean(-1, keepdim=True)) * n / (n - 1)
    return centred[..., None, None] * _score(sigma, y)


def pathwise(objective: Objective, noise: Tensor) -> Tensor:
    """∂f/∂x (1, σ Y)."""
    y = noise[..., 0]
    sigma, x = place(objective, y)
    slope = objective.derivative(x)
    return torch.stack([slope, slope * sigma * y], dim=-2)


def measure_valued(objective: Objective, noise: Tensor) -> Tensor:
    """A difference for each component, the others being those of the same X (section 6.2).

        ∂_μᵢ E f = E[f(…, μᵢ + σᵢ W, …) − f(…, μᵢ − σᵢ W, …)] / (σᵢ √2π),    W Rayleigh
        ∂_τᵢ E f = E[f(…, μᵢ + σᵢ M, …) − f(X)],                M double-sided Maxwell

    W and M are as in `gradients.terms.measure_valued`, so M and Xᵢ are coupled.
    """
    y = noise[..., 0]
    sigma, x = place(objective, y)
    w = noise[..., 1:].norm(dim=-1)
    m = y.sign() * noise.norm(dim=-1)
    up, down, wide = (place(objective, to)[1] for to in (w, -w, m))
    by_mu = objective.replaced(x, up) - objective.replaced(x, down)
    by_tau = objective.replaced(x, wide) - objective.value(x)[..., None]
    return torch.stack([by_mu / (sigma * math.sqrt(2 * math.pi)), by_tau], dim=-2)


def _score(sigma: Tensor, y: Tensor) -> Tensor:
    return torch.stack([y / sigma, y**2 - 1], dim=-2)


ESTIMATORS = {
    "score": Estimator("score function", score, lambda d: 1, variances.of_score),
    "score_leave_one_out": Estimator(
        "score, leave-one-out baseline",
        score_leave_one_out,
        lambda d: 1,
        variances.of_leave_one_out,
    ),
    "measure_valued": Estimator(
        "measure-valued", measure_valued, lambda d: 3 * d + 1, variances.of_measure_valued, noise=3
    ),
    "pathwise": Estimator("pathwise", pathwise, lambda d: 1, variances.of_pathwise),
}
