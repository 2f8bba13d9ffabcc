"""What the study of the gambler finds: the arrays that its stage writes and figures read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from jaxtyping import Float32, Float64, Int64

from nicelab.records import GAPS, Record, key
from nicelab.statistics import NORMAL_95, Estimate


@dataclass(frozen=True)
class Estimates(Record):
    """Estimates and their standard errors, of the same shape."""

    value: Annotated[Float64[np.ndarray, " *shape"], GAPS] = key("")
    standard_error: Annotated[Float64[np.ndarray, " *shape"], GAPS]

    @classmethod
    def of(cls, estimates: Sequence[Estimate]) -> Self:
        """One after another, shape (n,)."""
        value, error = np.array([[x.value, x.standard_error] for x in estimates]).T
        return cls(value=value, standard_error=error)

    @property
    def margin(self) -> np.ndarray:
        """Half the width of the normal 95 % intervals."""
        return NORMAL_95 * self.standard_error


@dataclass(frozen=True)
class Walks(Record):
    """Some paths of one proposal.

    Args:
        relative: weighted paths w·1{hit} / I, (≤ 3000,).
        paths: balance at the `ticks`, NaN after the end, (shown, ticks).
    """

    relative: Float64[np.ndarray, " weighted"] = key("relative_{}")
    paths: Annotated[Float64[np.ndarray, "shown ticks"], GAPS] = key("paths_{}")

    @property
    def log10_weights(self) -> np.ndarray:
        """Those of the paths that hit, log₁₀ w / I."""
        return np.log10(self.relative[self.relative > 0])

    @property
    def hit_share(self) -> float:
        """Share of the weighted paths that hit."""
        return np.count_nonzero(self.relative > 0) / len(self.relative)


@dataclass(frozen=True)
class Law:
    """A distribution over plays.

    Args:
        t: numbers of plays, shape (n,).
        probability: of each, shape (n,).
    """

    t: np.ndarray
    probability: np.ndarray

    @property
    def mean(self) -> float:
        """Expected number of plays."""
        return float((self.probability * self.t).sum())

    @property
    def deviation(self) -> float:
        """Its standard deviation."""
        return float(np.sqrt((self.probability * (self.t - self.mean) ** 2).sum()))


@dataclass(frozen=True)
class Growth(Record):
    """One estimator in games of ever rarer events, (games,) each.

    Args:
        variance: relative variance of one path; NaN where it was not to be seen.
        standard_error: of it; 0 where it is exact.
        plays: mean number of plays of a path.
    """

    variance: Annotated[Float64[np.ndarray, " games"], GAPS] = key("variance_{}")
    standard_error: Annotated[Float64[np.ndarray, " games"], GAPS] = key("variance_error_{}")
    plays: Float64[np.ndarray, " games"] = key("plays_{}")

    def relative_error(self, paths: int) -> Estimates:
        """Of an estimate from so many paths."""
        error = np.sqrt(self.variance / paths)
        spread = self.standard_error / np.where(error > 0, 2 * error * paths, 1)
        return Estimates(value=error, standard_error=spread)

    @property
    def work(self) -> np.ndarray:
        """Plays for a relative error of 1."""
        return self.variance * self.plays


@dataclass(frozen=True)
class RareEvent(Record):
    """The estimators of the gambler's probability.

    Args:
        q: a fine grid of win probabilities of a constant proposal, (200,).
        exact_relative_error: of the estimate with each of them.
        defensive_relative_error: the same with a defensive mixture.
        coverage_q: a coarser grid, (points,).
        observed_relative_error: of one estimate with each of those; NaN where fewer than two
            paths hit.
        observed_relative_error_standard_error: its own standard error.
        coverage: of 95 % intervals there, by kind of interval.
        ticks: numbers of plays at which paths are shown.
        optimal: Doob's win probability for the next play by balance, float32,
            (ticks − 1, target + 1), NaN where the target is out of reach.
        hit: exact probability that the target is reached at play t, (plays + 1,).
        walks: by proposal.
        rarity: log₁₀ I of games with more and more chips and plays, (games,).
        growth: by estimator.
    """

    q: Float64[np.ndarray, " fine"]
    exact_relative_error: Float64[np.ndarray, " fine"]
    defensive_relative_error: Float64[np.ndarray, " fine"]
    coverage_q: Float64[np.ndarray, " points"]
    observed_relative_error: Annotated[Float64[np.ndarray, " points"], GAPS]
    observed_relative_error_standard_error: Annotated[Float64[np.ndarray, " points"], GAPS]
    coverage: dict[str, Estimates] = key("coverage_{}")
    ticks: Int64[np.ndarray, " ticks"]
    optimal: Annotated[Float32[np.ndarray, "_ _"], GAPS]
    hit: Float64[np.ndarray, " _"]
    walks: dict[str, Walks] = key("{}")
    rarity: Float64[np.ndarray, " games"]
    growth: dict[str, Growth] = key("{}")

    @property
    def observed(self) -> Estimates:
        """Observed relative errors at `coverage_q`."""
        return Estimates(
            value=self.observed_relative_error,
            standard_error=self.observed_relative_error_standard_error,
        )

    @property
    def expected(self) -> np.ndarray:
        """The exact ones there, interpolated on a logarithmic scale."""
        return np.exp(np.interp(self.coverage_q, self.q, np.log(self.exact_relative_error)))

    @property
    def hitting_time(self) -> Law:
        """When the target is reached, given that it is."""
        t = np.flatnonzero(self.hit)
        return Law(t, self.hit[t] / self.hit.sum())
