"""What is said of one estimator: its estimate, observed and exact error, work and coverage."""

from typing import Any

import numpy as np

from nicelab.errors import InputError
from nicelab.importance.config import Importance
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import outcome
from nicelab.importance.groups import Groups
from nicelab.importance.intervals import (
    Z,
    coverage,
    intervals,
    share_covered,
    student,
    unweighted_intervals,
    weight_diagnostics,
)
from nicelab.importance.moments import Moments
from nicelab.importance.proposals import Proposal
from nicelab.importance.simulation import Paths
from nicelab.importance.trials import Tally, replicate
from nicelab.importance.weights import relative_variance
from nicelab.statistics import Estimate, mean

NO_VARIANCE = 1e-9  # relative variance below which only rounding is left


def judge(config: Importance, proposal: Proposal, found: Tally, draws: Draws) -> dict[str, Any]:
    """One proposal: estimate, observed and exact relative error, work, coverage.

    `work` is the exact relative variance of a path times the mean number of its plays: what an
    estimate with a relative error of 1 costs. Without a hit there is no estimate. For paths
    without weights there is the interval of Clopper and Pearson (1934) too.

    Args:
        config: the constants.
        proposal: the one to judge.
        found: what its paths say.
        draws: random numbers for replicates.
    """
    variance = relative_variance(config, proposal)
    variance = variance if variance > NO_VARIANCE else 0.0
    plays = found.plays.estimate()
    entry: dict[str, Any] = {
        "hits": found.hits,
        "plays": round(found.plays.n * found.plays.mean),
        "exact_relative_error": Estimate.exact(np.sqrt(variance / config.paths)),
        "work": plays.scaled(variance),
        **proposal.constants(),
        **_estimated(found, outcome(config).probability, variance),
        **_weights(found.first),
    }
    log_w = proposal.log_weight(config, outcome(config).times)
    if log_w is not None and not log_w.any():
        more = unweighted_intervals(found.hits, config.paths)
        entry["intervals"] = entry.get("intervals", {}) | more
    again = draws.named("coverage")
    if log_w is not None:
        replicates, random = config.coverage.replicates, again.stream(0)
        entry["coverage"] = coverage(config, proposal, config.paths, replicates, random)
    elif variance > NO_VARIANCE:
        played = replicate(config, proposal, config.paths, config.coverage.played, again)
        entry |= _repeated(draws.name, *played)
    return entry


def _estimated(found: Tally, exact: float, variance: float) -> dict[str, Any]:
    """The estimate, its intervals and errors, as far as there are hits enough."""
    if not found.hits:
        return {}
    relative = found.relative.estimate()
    probability = relative.scaled(exact)
    entry: dict[str, Any] = {"probability": probability, "intervals": intervals(probability)}
    if found.hits > 1:  # one hit alone has no spread of which to speak
        entry["relative_error"] = found.relative.relative_error()
    if min(variance, found.relative.variance()) > NO_VARIANCE:
        entry["z_score"] = relative.z_score(1)
    return entry


def _weights(paths: Paths) -> dict[str, Any]:
    """Diagnostics of the weights of these paths, if any of them hits."""
    if not paths.hit.any():
        return {}
    weight = np.exp(paths.log_weight - paths.log_weight.max())
    diagnostics = {
        "paths": len(weight),
        "of_hits": weight_diagnostics(paths.samples),
        "of_all": weight_diagnostics(weight),
    }
    return {"weights": diagnostics}


def judge_groups(config: Importance, estimates: Groups, draws: Draws) -> dict[str, Any]:
    """Paths that depend on one another: the same answers, where no exact error is known.

    The paths of the study are divided into groups. All replicates are groups too, and `work` is
    the relative variance over replicates times the plays of one. So few groups have a standard
    error of their own that is uncertain: the intervals have Student's quantile.
    """
    exact, groups = outcome(config).probability, config.splitting.groups
    paths, replicates = max(1, config.paths // groups), config.splitting.replicates
    found, plays = estimates(config, config.splitting, paths, groups * (1 + replicates), draws)
    relative = found.reshape(-1, groups) / exact
    first, others = mean(relative[0]), relative[1:]
    entry = {"plays": int(plays[:groups].sum()), "probability": first.scaled(exact)}
    if first.value:
        entry["intervals"] = intervals(entry["probability"], student(groups))
    moments = Moments.of(relative[0])
    if moments.variance() > NO_VARIANCE:
        entry["z_score"] = first.z_score(1)
        entry["relative_error"] = moments.relative_error()
    errors = others.std(1, ddof=1) / np.sqrt(groups)
    entry |= _repeated(draws.name, others.mean(1), errors, student(groups))
    error, cost = entry["replicated"]["relative_error"], mean(plays).value * groups
    spread = 2 * error.value * error.standard_error
    entry["work"] = Estimate(cost * error.value**2, cost * spread, replicates)
    return entry


def _repeated(
    name: str, centre: np.ndarray, error: np.ndarray, quantile: float = Z
) -> dict[str, Any]:
    """What replicates, in units of the exact probability, say: coverage, bias, relative error."""
    if not centre.any():
        raise InputError(
            f"{name}: no path reached the target in {len(centre)} replicates: raise "
            f"importance.paths"
        )
    together, root_n = Moments.of(centre).relative_error(), np.sqrt(len(centre))
    replicated: dict[str, Any] = {"relative_error": together.scaled(root_n)}
    if together.value**2 > NO_VARIANCE / len(centre):
        replicated["z_score"] = mean(centre).z_score(1)
    return {"coverage": share_covered(centre, error, 1.0, quantile), "replicated": replicated}
