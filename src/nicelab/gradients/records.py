"""What the study of gradient estimators finds: the arrays that its stage writes and figures read.

Points are (μ, σ); estimators are in the order of `names`.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float64, Int64

from nicelab.records import GAPS, Record, Text, key

CONVICTED = 4.0  # standard errors of its mean from which on an estimator counts as biased


@dataclass(frozen=True)
class Run(Record):
    """SGD with one estimator over seeds; the last two of the sheet's estimators alone.

    Args:
        band: 2.5, 50 and 97.5 % quantiles over seeds, (3, steps + 1, 2).
        expected: the descent that is expected of it, (steps + 1, 2).
        ends: after the last step, (seeds, 2).
    """

    band: Float64[np.ndarray, "3 states 2"]
    expected: Float64[np.ndarray, "states 2"] | None = None
    ends: Float64[np.ndarray, "seeds 2"] | None = None

    def quantiles_of_ends(self) -> np.ndarray:
        """2.5, 25, 50, 75 and 97.5 % of the ends, (5, 2)."""
        return np.quantile(self.ends, [0.025, 0.25, 0.5, 0.75, 0.975], axis=0)


@dataclass(frozen=True)
class LongRun(Record):
    """SGD with one estimator until it settles.

    Args:
        long: the expected descent at `long_steps`, (k, 2).
        long_ends: after the last step, (seeds, 2).
    """

    long: Float64[np.ndarray, "kept 2"]
    long_ends: Float64[np.ndarray, "seeds 2"]


@dataclass(frozen=True)
class Spent(Record):
    """Descent with one estimator and optimiser, with every step size of a grid.

    Losses are above that of the minimum which exact descent reaches from the start, over the runs
    that end nearest to it; NaN where fewer than two do.

    Args:
        learning_rates: the grid, (rates,).
        evaluations: of f until then, (spent,).
        excess: mean loss above the minimum's, (rates, spent).
        excess_error: standard error of that, (rates, spent).
    """

    learning_rates: Float64[np.ndarray, " rates"]
    evaluations: Int64[np.ndarray, " spent"]
    excess: Annotated[Float64[np.ndarray, "rates spent"], GAPS]
    excess_error: Annotated[Float64[np.ndarray, "rates spent"], GAPS]

    def at(self, learning_rate: float) -> tuple[np.ndarray, np.ndarray]:
        """The excess with this step size, and its standard error, both (spent,)."""
        k = int(np.flatnonzero(self.learning_rates == learning_rate)[0])
        return self.excess[k], self.excess_error[k]


@dataclass(frozen=True)
class GradientsRecord(Record):
    """The landscape, and each estimator's runs, bias, variance and cost.

    Args:
        map_mu: of the map's columns, (size,).
        map_sigma: of its rows, even in log σ, (size,).
        map_loss: L, (size, size).
        map_basin: index of the minimum that descent from there reaches, (size, size).
        map_variance_ratio: of the score function over pathwise, (size, size).
        runs: by estimator.
        names: of the estimators.
        points: where bias and variance are measured, (points, 2).
        z_scores: of the mean error, (points, estimators, 2), by μ and τ.
        work: evaluations of f for a variance of 1, (points, estimators).
        batches: sizes, (k,).
        batch_variances: exact variance of a batch's mean, summed over μ and τ, (estimators, k).
        batch_observed: the same, observed.
        batch_errors: standard errors of that.
        long_steps: at which long runs are kept.
        long: by estimator of the sheet.
        spent: by optimiser and estimator, `sgd_pathwise`.
    """

    map_mu: Float64[np.ndarray, " size"]
    map_sigma: Float64[np.ndarray, " size"]
    map_loss: Float64[np.ndarray, "size size"]
    map_basin: Int64[np.ndarray, "size size"]
    map_variance_ratio: Float64[np.ndarray, "size size"]
    runs: dict[str, Run] = key("{}")
    names: Text[np.ndarray, " estimators"]
    points: Float64[np.ndarray, "points 2"]
    z_scores: Annotated[Float64[np.ndarray, "points estimators 2"], GAPS]
    work: Annotated[Float64[np.ndarray, "points estimators"], GAPS]
    batches: Int64[np.ndarray, " batches"]
    batch_variances: Float64[np.ndarray, "estimators batches"]
    batch_observed: Float64[np.ndarray, "estimators batches"]
    batch_errors: Float64[np.ndarray, "estimators batches"]
    long_steps: Int64[np.ndarray, " kept"]
    long: dict[str, LongRun] = key("{}")
    spent: dict[str, Spent] = key("spent_{}")

    def convicted(self) -> list[str]:
        """Names of the estimators whose bias a z-test proves at some point."""
        worst = np.abs(self.z_scores).max((0, 2))
        return [str(name) for name in self.names[worst > CONVICTED]]
