"""What the figures of the gambler show beside the estimates themselves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nicelab.importance.config import Importance
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import optimal_q, relative_deviation
from nicelab.importance.intervals import KINDS, coverage
from nicelab.importance.proposals import Constant, Doob, log_reach
from nicelab.importance.records import Estimates
from nicelab.importance.trials import tally
from nicelab.importance.verdicts import plays_needed
from nicelab.statistics import NORMAL_95, Estimate

BEYOND = 2.5  # end of the curves, in distances of the best q from p
TICKS = 300  # plays at most at which the figures show the paths


def curves(config: Importance, draws: Draws) -> dict[str, Any]:
    """Errors and coverage against q, the win probability of a constant proposal.

    Returns:
        The fields of `RareEvent` from `q` to `coverage`.
    """
    best = optimal_q(config)
    top = min(config.p + BEYOND * (best - config.p), (1 + best) / 2)
    q, root_n = np.linspace(config.p, top, 200), np.sqrt(config.paths)
    coarse = np.linspace(config.p, top, config.coverage.points)
    observed = Estimates.of([_observed(config, x, draws, i) for i, x in enumerate(coarse)])
    covered = [_covered(config, x, draws, i) for i, x in enumerate(coarse)]
    return {
        "q": q,
        "exact_relative_error": relative_deviation(config, q) / root_n,
        "defensive_relative_error": relative_deviation(config, q, config.defensive) / root_n,
        "coverage_q": coarse,
        "observed_relative_error": observed.value,
        "observed_relative_error_standard_error": observed.standard_error,
        "coverage": {name: Estimates.of([shares[name] for shares in covered]) for name in KINDS},
    }


def _observed(config: Importance, q: float, draws: Draws, i: int) -> Estimate:
    """The relative error at point i."""
    found = tally(config, Constant(q), config.paths, draws.named(f"curve {i}"))
    return found.relative.relative_error() if found.hits > 1 else Estimate(np.nan, np.nan, 0)


def _covered(config: Importance, q: float, draws: Draws, i: int) -> dict[str, Estimate]:
    """The coverage at point i, by kind of interval."""
    random = draws.named("coverage").stream(i)
    return coverage(config, Constant(q), config.paths, config.coverage.replicates, random)


def backdrop(config: Importance) -> dict[str, np.ndarray]:
    """Plays at which the figures show the paths, and the best proposal there.

    Returns:
        The fields `ticks` and `optimal` of `RareEvent`.
    """
    ticks = np.unique(np.linspace(0, config.plays, TICKS + 1).astype(int))
    best = np.full((len(ticks) - 1, config.target + 1), np.nan, np.float32)
    reach = log_reach(config)
    for t, (row, log_h) in enumerate(zip(Doob().rows(config), reach, strict=False)):
        k = np.searchsorted(ticks, t)
        if ticks[k] == t:
            best[k] = np.where(np.isfinite(log_h), row, np.nan)
    best[:, [0, -1]] = np.nan
    return {"ticks": ticks, "optimal": best}


def _error(method: Mapping[str, Any]) -> Estimate:
    """Relative error over replicates where there are any, else exact."""
    if "replicated" in method:
        return method["replicated"]["relative_error"]
    return method["exact_relative_error"]


def by_error(methods: Mapping[str, Any]) -> list[str]:
    """Names of the methods, from the largest relative error to the smallest: the ladder."""
    return sorted(methods, key=lambda name: -_error(methods[name]).value)


def relative_errors(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Relative error of every estimator, in per cent, with a 95 % interval; the largest first.

    Over replicates where there are any; else exact, so that the interval has no width. Without
    variance there is nothing to show on a logarithmic axis. Beside it `work`, the plays that a
    proposal was learned from, and the plays that a relative error of 1 % takes, those included.
    """
    methods, labels = metrics["methods"], metrics["labels"]["methods"]
    varied = [name for name in by_error(methods) if methods[name]["work"].value > 0]
    return [
        {"rank": rank, **_rung(labels[name], methods[name])} for rank, name in enumerate(varied)
    ]


def _rung(label: str, method: Mapping[str, Any]) -> dict[str, Any]:
    error = _error(method)
    percent, margin = 100 * error.value, 100 * NORMAL_95 * error.standard_error
    return {
        "estimator": label,
        "relative_error": percent,
        "lower": max(percent - margin, 1e-9),
        "upper": percent + margin,
        "work": method["work"].value,
        "learning": method.get("learning", 0),
        "plays_needed": plays_needed(method).value,
    }
