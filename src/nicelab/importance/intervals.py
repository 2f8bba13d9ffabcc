"""Confidence intervals of the estimated probability, and how often they cover the exact one."""

import warnings
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from arviz_stats.base import array_stats
from pydantic import Field
from scipy.stats import binomtest, norm

from nicelab.importance.gambler import Gambler, log_weight, outcome
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean

LEVEL = 0.95
ROUNDING = 1e-6  # relative difference below which weights count as the same
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


def normal(centre: np.ndarray, error: np.ndarray) -> Interval:
    """Estimate ± 1.96 standard errors."""
    return Interval(centre - Z * error, centre + Z * error)


def log_normal(centre: np.ndarray, error: np.ndarray) -> Interval:
    """The normal interval of the logarithm, by the delta method; empty without a hit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(Z * error / centre)
        return Interval(centre / factor, centre * factor)


KINDS = {"normal": normal, "log_normal": log_normal}


def intervals(estimate: Estimate) -> dict[str, dict[str, float]]:
    """Ends of the 95 % intervals of one positive estimate, by kind."""
    centre, error = np.float64(estimate.value), np.float64(estimate.standard_error)
    return {name: kind(centre, error).ends() for name, kind in KINDS.items()}


def clopper_pearson(hits: int, paths: int) -> Interval:
    """Exact interval of a share (Clopper and Pearson, 1934), for paths without weights."""
    found = binomtest(hits, paths).proportion_ci(LEVEL, method="exact")
    return Interval(np.float64(found.low), np.float64(found.high))


def share_covered(centre: np.ndarray, error: np.ndarray, exact: float) -> dict[str, Estimate]:
    """Share of estimates whose interval covers the exact value, by kind of interval.

    Args:
        centre: estimates, shape (replicates,).
        error: their standard errors.
        exact: what they estimate.
    """
    return {name: mean(kind(centre, error).covers(exact)) for name, kind in KINDS.items()}


def coverage(
    gambler: Gambler, q: float, paths: int, replicates: int, random: np.random.Generator,
    share: float = 0.0,
) -> dict[str, Estimate]:  # fmt: skip
    """Share of repeated estimates whose interval covers the exact probability.

    The weight of a path that hits depends on its hitting time alone, so the number of paths that
    hit at each play, of which the exact law is known, is all that a replicate needs.

    Args:
        gambler: the problem.
        q: the constant win probability of the proposal.
        paths: of each replicate.
        replicates: how many.
        random: the source of the replicates.
        share: of the paths that are played with p instead, in a defensive mixture.
    """
    exact = outcome(gambler)
    t = np.flatnonzero(exact.hit)
    log_w = log_weight(gambler, q, t, share)
    law = exact.hit[t] / np.exp(log_w)
    law = np.append(law, max(0.0, 1 - law.sum()))
    counts = random.multinomial(paths, law / law.sum(), size=replicates)[:, :-1]
    weight = np.exp(log_w - np.log(exact.probability))
    centre = counts @ weight / paths
    variance = (counts @ weight**2 / paths - centre**2) * paths / (paths - 1)
    error = np.sqrt(np.maximum(variance, 0) / paths)
    found = share_covered(centre, error, 1.0)
    if q == gambler.p:
        by_hits = {
            hits: clopper_pearson(int(hits), paths).covers(exact.probability)
            for hits in np.unique(counts.sum(1))
        }
        found["clopper_pearson"] = mean(np.array([by_hits[hits] for hits in counts.sum(1)]))
    return found


def weight_diagnostics(weights: np.ndarray) -> dict[str, float]:
    """Effective sample size (Σ w)² / Σ w² and Pareto k̂ of weights, shape (n,).

    k̂ above 0.7 says that an estimate cannot be trusted (Vehtari et al., 2024). It is left out
    where the largest weights are all the same, so that there is no tail to fit.
    """
    w = weights / weights.max()
    found = {"effective_sample_size": float(w.sum() ** 2 / np.square(w).sum())}
    tail = int(min(w.size / 5, 3 * w.size**0.5))  # as arviz chooses it
    if np.sort(w)[-tail:].min(initial=1) > 1 - ROUNDING:
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # too few weights in the tail: said by leaving k̂ out
        k = float(array_stats.pareto_khat(w[None], r_eff=1.0, tail="right"))
    return found | ({"pareto_k": k} if np.isfinite(k) else {})
