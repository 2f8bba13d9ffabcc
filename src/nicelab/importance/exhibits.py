"""What the figures of the gambler show beside the estimates themselves."""

from typing import Any

import numpy as np

from nicelab.importance.config import Importance
from nicelab.importance.gambler import optimal_q, relative_deviation
from nicelab.importance.intervals import coverage
from nicelab.importance.proposals import Constant, Doob, log_reach
from nicelab.importance.simulation import stream
from nicelab.importance.trials import tally
from nicelab.machine.ranks import Ranks
from nicelab.statistics import Estimate

BEYOND = 2.5  # end of the curves, in distances of the best q from p
TICKS = 300  # plays at most at which the figures show the paths


def curves(config: Importance, ranks: Ranks) -> dict[str, np.ndarray]:
    """Errors and coverage against q, the win probability of a constant proposal.

    Returns:
        `exact_relative_error` and `defensive_relative_error`, exact, at a fine `q`; at the coarser
        `coverage_q`, each with its `…_standard_error`, `observed_relative_error` (NaN where fewer
        than two paths hit), `coverage_normal` and `coverage_log_normal`, shape (points,).
    """
    best = optimal_q(config)
    top = min(config.p + BEYOND * (best - config.p), (1 + best) / 2)
    q, root_n = np.linspace(config.p, top, 200), np.sqrt(config.paths)
    coarse = np.linspace(config.p, top, config.coverage.points)
    points = []
    for i, x in enumerate(coarse):
        random = stream(config.seed, "coverage", i)
        found = tally(config, Constant(x), config.paths, config.seed, f"curve {i}", ranks)
        covered = coverage(config, float(x), config.paths, config.coverage.replicates, random)
        none = Estimate(np.nan, np.nan, 0)
        points.append({
            "observed_relative_error": found.relative.relative_error() if found.hits > 1 else none,
            "coverage_normal": covered["normal"],
            "coverage_log_normal": covered["log_normal"],
        })  # fmt: skip
    arrays = {
        "q": q,
        "exact_relative_error": relative_deviation(config, q) / root_n,
        "defensive_relative_error": relative_deviation(config, q, config.defensive) / root_n,
        "coverage_q": coarse,
    }
    for name in points[0]:
        arrays[name] = np.array([point[name].value for point in points])
        errors = [point[name].standard_error for point in points]
        arrays[f"{name}_standard_error"] = np.array(errors)
    return arrays


def backdrop(config: Importance) -> dict[str, np.ndarray]:
    """Plays at which the figures show the paths, and the best proposal there.

    Returns:
        `ticks`, numbers of plays, and `optimal`, Doob's win probability for the next play by
        balance, float32, (ticks − 1, target + 1), NaN where the target is out of reach.
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


def relative_errors(methods: dict[str, Any]) -> list[dict[str, Any]]:
    """Relative error of every estimator, in per cent, with a 95 % interval; the largest first.

    Over replicates where there are any; else exact, so that the interval has no width. Without
    variance there is nothing to show on a logarithmic axis.
    """
    errors = {
        name: method["replicated"]["relative_error"]
        if "replicated" in method
        else method["exact_relative_error"]
        for name, method in methods.items()
        if method["work"].value > 0
    }
    rows = [
        {
            "estimator": name.replace("_", " "),
            "relative_error": 100 * error.value,
            "lower": max(100 * error.value - 196 * error.standard_error, 1e-9),
            "upper": 100 * error.value + 196 * error.standard_error,
            "work": methods[name]["work"].value,
        }
        for name, error in sorted(errors.items(), key=lambda entry: -entry[1].value)
    ]
    return [{"rank": rank, **row} for rank, row in enumerate(rows)]
