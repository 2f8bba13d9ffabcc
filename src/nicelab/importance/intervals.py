"""Confidence intervals of the estimated probability, and how often they cover the exact one."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from arviz_stats.base import array_stats
from pydantic import Field
from scipy.stats import binomtest, norm, t

from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.proposals import Proposal
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean

LEVEL = 0.95
ROUNDING = 1e-6  # relative difference below which weights count as the same
SHORTEST_TAIL = 5  # weights that arviz needs for a fit
Z = float(norm.ppf((1 + LEVEL) / 2))


class Replicates(Section):
    """How often the whole estimate is repeated, and at how many q.

    `replicates` where the law of the hitting time is all that is needed; `played` where every
    path must be played.
    """

    replicates: Annotated[int, Field(ge=1000, le=1_000_000)]
    played: Annotated[int, Field(ge=20, le=1_000_000)]
    points: Annotated[int, Field(ge=2, le=1000)]


@dataclass(frozen=True)
class Interval:
    """Lower and upper end; `lower <= x <= upper` covers x."""

    lower: np.ndarray
    upper: np.ndarray

    def covers(self, x: float) -> np.ndarray:
        """Whether x is inside."""
        return (self.lower <= x) & (x <= self.upper)

    def ends(self) -> dict[str, float]:
        """The ends of a single interval, for the metrics."""
        return {"lower": float(self.lower), "upper": float(self.upper)}


def student(groups: int) -> float:
    """Standard errors to either end of an interval whose error comes from so few estimates.

    The quantile of Student's t: for 30 groups 2.045, where the normal law has 1.960.
    """
    return float(t.ppf((1 + LEVEL) / 2, groups - 1))


def normal(centre: np.ndarray, error: np.ndarray, quantile: float = Z) -> Interval:
    """Estimate ± so many standard errors."""
    return Interval(centre - quantile * error, centre + quantile * error)


def log_normal(centre: np.ndarray, error: np.ndarray, quantile: float = Z) -> Interval:
    """The same interval of the logarithm, by the delta method; empty without a hit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(quantile * error / centre)
        return Interval(centre / factor, centre * factor)


def clopper_pearson(hits: int, paths: int) -> Interval:
    """Exact interval of a share (Clopper and Pearson, 1934), for paths without weights."""
    found = binomtest(hits, paths).proportion_ci(LEVEL, method="exact")
    return Interval(np.float64(found.low), np.float64(found.high))


@dataclass(frozen=True)
class Kind:
    """A kind of interval: what readers call it, and the interval of (centre, error, quantile)."""

    label: str
    of: Callable[[np.ndarray, np.ndarray, float], Interval]


@dataclass(frozen=True)
class KindOfShare:
    """A kind of interval for paths without weights: the interval of (hits, paths)."""

    label: str
    of: Callable[[int, int], Interval]


KINDS = {"normal": Kind("normal", normal), "log_normal": Kind("log-normal", log_normal)}
UNWEIGHTED = {"clopper_pearson": KindOfShare("Clopper–Pearson", clopper_pearson)}


def intervals(estimate: Estimate, quantile: float = Z) -> dict[str, dict[str, float]]:
    """Ends of the 95 % intervals of one positive estimate, by kind."""
    centre, error = np.float64(estimate.value), np.float64(estimate.standard_error)
    return {name: kind.of(centre, error, quantile).ends() for name, kind in KINDS.items()}


def unweighted_intervals(hits: int, paths: int) -> dict[str, dict[str, float]]:
    """Ends of the intervals of a share, by kind."""
    return {name: kind.of(hits, paths).ends() for name, kind in UNWEIGHTED.items()}


def share_covered(
    centre: np.ndarray, error: np.ndarray, exact: float, quantile: float = Z
) -> dict[str, Estimate]:
    """Share of estimates whose interval covers the exact value, by kind of interval.

    Args:
        centre: estimates, shape (replicates,).
        error: their standard errors.
        exact: what they estimate.
        quantile: standard errors to either end.
    """
    return {
        name: mean(kind.of(centre, error, quantile).covers(exact)) for name, kind in KINDS.items()
    }


def coverage(
    gambler: Gambler, proposal: Proposal, paths: int, replicates: int, random: np.random.Generator
) -> dict[str, Estimate]:
    """Share of repeated estimates whose interval covers the exact probability.

    The weight of a path that hits depends on its hitting time alone, so the number of paths that
    hit at each play, of which the exact law is known, is all that a replicate needs.

    Args:
        gambler: the problem.
        proposal: one that knows its `log_weight`.
        paths: of each replicate.
        replicates: how many.
        random: the source of the replicates.
    """
    exact = outcome(gambler)
    log_w = proposal.log_weight(gambler, exact.times)
    law = exact.hit[exact.times] / np.exp(log_w)
    law = np.append(law, max(0.0, 1 - law.sum()))
    counts = random.multinomial(paths, law / law.sum(), size=replicates)[:, :-1]
    weight = np.exp(log_w - np.log(exact.probability))
    centre = counts @ weight / paths
    variance = (counts @ weight**2 / paths - centre**2) * paths / (paths - 1)
    error = np.sqrt(np.maximum(variance, 0) / paths)
    found = share_covered(centre, error, 1.0)
    if not log_w.any():
        found |= unweighted_coverage(counts.sum(1), paths, exact.probability)
    return found


def unweighted_coverage(hits: np.ndarray, paths: int, exact: float) -> dict[str, Estimate]:
    """The same of paths without weights, by numbers of hits, shape (replicates,)."""
    values, place = np.unique(hits, return_inverse=True)
    return {
        name: mean(np.array([kind.of(int(k), paths).covers(exact) for k in values])[place])
        for name, kind in UNWEIGHTED.items()
    }


def weight_diagnostics(weights: np.ndarray) -> dict[str, float]:
    """Effective sample size (Σ w)² / Σ w² and Pareto k̂ of weights, shape (n,).

    k̂ above 0.7 says that an estimate cannot be trusted (Vehtari et al., 2024). It is left out
    where there is no tail to fit: where the largest weights and the one that bounds them are not
    all positive, or are all the same, or are too few.
    """
    w = weights / weights.max()
    found = {"effective_sample_size": float(w.sum() ** 2 / np.square(w).sum())}
    tail = int(min(w.size / 5, 3 * w.size**0.5))  # as arviz chooses it
    bound, least = np.sort(w)[-tail - 1 :][:2] if tail >= SHORTEST_TAIL else (0.0, 0.0)
    if bound == 0 or least > 1 - ROUNDING:
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that fails: said by leaving k̂ out
        k = float(array_stats.pareto_khat(w[None], r_eff=1.0, tail="right"))
    return found | ({"pareto_k": k} if np.isfinite(k) else {})
