"""Gradient estimators beside each other at a point (problem 6)."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, field_validator

from nicelab.errors import InputError
from nicelab.gradients.estimators import ESTIMATORS, Estimator
from nicelab.gradients.objective import F, expectation_gradient
from nicelab.pipeline.params import Section
from nicelab.statistics import mean
from nicelab.streams import generator
from nicelab.teaching.answer import Answer
from nicelab.teaching.arguments import Count, Seed, checked


class Sampled(Section):
    """Where the gradient is taken, and how often."""

    mu: Annotated[float, Field(ge=-1e6, le=1e6)]
    sigma: float
    batch: Count
    batches: Annotated[int, Field(ge=2, le=10**9)]
    seed: Seed

    @field_validator("sigma")
    @classmethod
    def _no_logarithm(cls, sigma: float) -> float:
        if not 0 < sigma <= 1e6:
            raise ValueError(f"sigma must be > 0 (it is σ, not log σ) and <= 10⁶, got {sigma}")
        return sigma


@dataclass(frozen=True)
class Gradient:
    """What an estimator says of ∇E[f(X)], X ~ N(μ, σ²), f(x) = x sin x.

    Args:
        label: of the estimator.
        by_mu: ∂/∂μ, and exactly.
        by_log_sigma: ∂/∂log σ, and exactly.
        variance: exact, of the mean over a batch, times the batch; of both together.
        evaluations: of f or a derivative for a sample.
    """

    label: str
    by_mu: Answer
    by_log_sigma: Answer
    variance: float
    evaluations: float


def gradients(
    *estimators: str | Estimator,
    mu: float,
    sigma: float,
    batch: int = 16,
    batches: int = 1000,
    seed: int = 0,
) -> list[Gradient]:
    """Compare gradient estimators at a point.

    Args:
        estimators: names in `nicelab.gradients.estimators.ESTIMATORS`, or estimators of one's
            own; all of them if there are none.
        mu: mean of X.
        sigma: its standard deviation, not the logarithm of it.
        batch: samples of a batch.
        batches: independent batches, over which standard errors are taken.
        seed: of the noise.

    Examples:
        >>> for found in gradients("score", "pathwise", mu=0.3, sigma=0.7):
        ...     print(f"{found.label}: {found.by_mu}, variance {found.variance:.3g}")
        score function: 0.349 ± 0.012 (exact: 0.342289), variance 5.66
        pathwise: 0.3375 ± 0.0072 (exact: 0.342289), variance 1.1

    Raises:
        InputError: σ is not positive, another number is not as above, or an estimator is
            unknown.
    """
    at = checked(Sampled, mu=mu, sigma=sigma, batch=batch, batches=batches, seed=seed)
    unknown = [x for x in estimators if isinstance(x, str) and x not in ESTIMATORS]
    if unknown:
        raise InputError(f"estimators must be of {', '.join(ESTIMATORS)}, got {unknown[0]!r}")
    chosen = [ESTIMATORS[x] if isinstance(x, str) else x for x in estimators or ESTIMATORS]
    point = torch.tensor([at.mu, np.log(at.sigma)], dtype=torch.float64)
    return [_gradient(x, point, at.batch, at.batches, at.seed) for x in chosen]


def _gradient(
    estimator: Estimator, point: torch.Tensor, batch: int, batches: int, seed: int
) -> Gradient:
    random = generator(seed, "lab", estimator.label)
    means = estimator(F, point.expand(batches, 2), batch, random).mean(-2)
    by_mu, by_log_sigma = (
        Answer(*vars(mean(values)).values(), truth=float(exact))
        for values, exact in zip(means.T, expectation_gradient(point), strict=True)
    )
    variance = float(estimator.variance(F, point, batch).sum())
    return Gradient(
        estimator.label, by_mu, by_log_sigma, variance, estimator.evaluations(batch) / batch
    )
