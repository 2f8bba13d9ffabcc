"""Estimators of ∇ E[f(X)], X ~ N(μ, σ²), with respect to μ and τ = log σ.

One contract: an estimator takes a function f, points (*, 2) of (μ, τ) and noise (*, batch, d) of
standard normal numbers, and returns a gradient for each sample, (*, batch, 2), whose mean over the
batch estimates the gradient; it states how often it evaluates f or a derivative of f. After
Mohamed, Rosca, Figurnov and Mnih (2020), "Monte Carlo gradient estimation in machine learning":

    score function (section 4)      f(X) ∇ log p(X) = f(X) (Y/σ,  Y² − 1),   X = μ + σ Y
    pathwise (section 5)            f′(X) ∂X/∂(μ, τ) = f′(X) (1,  σ Y)
    measure-valued (section 6)      differences of f at points of other distributions

Estimators are put together from parts: what is multiplied by what (`terms.py`), less a baseline
(`baselines.py`) or a surrogate for f whose gradient is known (`surrogates.py`), on noise of some
kind (`noise.py`). A new one is an entry of `ESTIMATORS`; every test and study takes it from there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nicelab.gradients import variances
from nicelab.gradients.as_printed import pathwise_as_printed, score_as_printed
from nicelab.gradients.baselines import leave_one_out, optimal_baseline
from nicelab.gradients.family import Function, Terms
from nicelab.gradients.noise import Antithetic, Independent, Noise, Sobol, Stratified
from nicelab.gradients.quadrature import FEW_NODES
from nicelab.gradients.surrogates import hermite, taylor
from nicelab.gradients.terms import (
    measure_valued,
    measure_valued_uncoupled,
    pathwise,
    quadrature,
    score,
)


@dataclass(frozen=True)
class Estimator:
    """Terms, the noise they are fed with, what they cost, and what a reader calls them.

    `exact` gives the variance of the mean over a batch, times the batch, where the noise's own
    quadrature cannot. `unbiased` is False where the mean is not the gradient.
    """

    label: str
    terms: Terms
    per_sample: int
    per_batch: int = 0
    dimensions: int = 1
    noise: Noise = field(default_factory=Independent)
    exact: Callable[[Function, Tensor, int], Tensor] | None = None
    unbiased: bool = True

    def __call__(
        self, f: Function, point: Tensor, batch: int, generator: torch.Generator
    ) -> Tensor:
        """A gradient for each sample of a batch at each point, shape (*, batch, 2)."""
        shape = *point.shape[:-1], batch, self.dimensions
        return self.terms(f, point, self.noise.draw(shape, generator, point.dtype))

    def variance(self, f: Function, point: Tensor, batch: int) -> Tensor:
        """Exact variance of the mean over a batch, times the batch; shape (*, 2)."""
        if self.exact:
            return self.exact(f, point, batch)
        return self.noise.variance(lambda y: self.terms(f, point, y), batch, point)

    def evaluations(self, batch: int) -> int:
        """Number of evaluations of f or a derivative for a batch."""
        return batch * self.per_sample + self.per_batch


ESTIMATORS: dict[str, Estimator] = {
    "score_as_printed": Estimator(
        "score function, as printed", score_as_printed, 1, unbiased=False
    ),
    "pathwise_as_printed": Estimator(
        "pathwise, as printed", pathwise_as_printed, 1, unbiased=False
    ),
    "score": Estimator("score function", score(), 1),
    "score_mean_baseline": Estimator(
        "score, E f as baseline", score(surrogate=hermite(0)), 1, FEW_NODES
    ),
    "score_optimal_baseline": Estimator(
        "score, optimal baseline", score(optimal_baseline), 1, FEW_NODES
    ),
    "score_leave_one_out": Estimator(
        "score, leave-one-out baseline",
        score(leave_one_out),
        1,
        exact=variances.of_leave_one_out,
    ),
    "score_taylor_1": Estimator("score, Taylor of order 1", score(surrogate=taylor(1)), 1, 2),
    "score_taylor_2": Estimator("score, Taylor of order 2", score(surrogate=taylor(2)), 1, 3),
    "score_hermite_2": Estimator(
        "score, Hermite of degree 2", score(surrogate=hermite(2)), 1, FEW_NODES
    ),
    "score_antithetic": Estimator("score, antithetic pairs", score(), 1, noise=Antithetic()),
    "score_optimal_baseline_stratified": Estimator(
        "score, optimal baseline, strata",
        score(optimal_baseline),
        1,
        FEW_NODES,
        noise=Stratified(),
    ),
    "score_sobol": Estimator("score, Sobol’ net", score(), 1, noise=Sobol()),
    "pathwise": Estimator("pathwise", pathwise(), 1),
    "pathwise_taylor_1": Estimator("pathwise, Taylor of order 1", pathwise(taylor(1)), 1, 2),
    "pathwise_taylor_2": Estimator("pathwise, Taylor of order 2", pathwise(taylor(2)), 1, 3),
    "pathwise_hermite_2": Estimator(
        "pathwise, Hermite of degree 2", pathwise(hermite(2)), 1, FEW_NODES
    ),
    "pathwise_antithetic": Estimator(
        "pathwise, antithetic pairs", pathwise(), 1, noise=Antithetic()
    ),
    "pathwise_stratified": Estimator("pathwise, strata", pathwise(), 1, noise=Stratified()),
    "pathwise_sobol": Estimator("pathwise, Sobol’ net", pathwise(), 1, noise=Sobol()),
    "measure_valued": Estimator(
        "measure-valued", measure_valued, 4, dimensions=3, exact=variances.of_measure_valued
    ),
    "measure_valued_uncoupled": Estimator(
        "measure-valued, uncoupled",
        measure_valued_uncoupled,
        4,
        dimensions=8,
        exact=variances.of_measure_valued_uncoupled,
    ),
    "quadrature": Estimator(
        "Gauss–Hermite quadrature", quadrature, 1, exact=variances.of_quadrature, unbiased=False
    ),
}
