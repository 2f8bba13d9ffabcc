"""Importance sampling of the gambler's rare event (problem 5).

Paths are drawn with the win probabilities q of a proposal and weighted by the likelihood ratio of
their plays,

    Î = (1/N) Σ_i w_i 1{path i reaches the target},

where w_i is the product of p/q over its wins and of (1 − p)/(1 − q) over its losses.

The plain estimator, not the self-normalised one: here the normalising sum has far more variance
than what it would correct.
"""

from typing import Any

import numpy as np

from nicelab.errors import InputError
from nicelab.importance.config import Importance
from nicelab.importance.cross_entropy import constant, learn, logistic, timed
from nicelab.importance.exhibits import backdrop, curves
from nicelab.importance.gambler import optimal_q, outcome, relative_deviation
from nicelab.importance.intervals import (
    clopper_pearson,
    coverage,
    intervals,
    share_covered,
    weight_diagnostics,
)
from nicelab.importance.moments import Moments
from nicelab.importance.proposals import (
    Brownian,
    Constant,
    Doob,
    Mixture,
    Proposal,
    relative_variance,
    siegmund,
)
from nicelab.importance.simulation import stream, trajectories
from nicelab.importance.splitting import LevelFunction, by_balance, by_reach, split
from nicelab.importance.trials import Tally, replicate, tally
from nicelab.machine.ranks import ALONE, Ranks
from nicelab.statistics import Estimate, mean

NO_VARIANCE = 1e-9  # relative variance below which only rounding is left
SHOWN = 3000  # paths at most whose weights the figures show


LEVELS: dict[str, LevelFunction] = {
    "splitting_by_balance": by_balance,
    "splitting_by_reach": by_reach,
}


def proposals(config: Importance) -> dict[str, Proposal]:
    """Every proposal, by name; the learned ones know samples alone."""
    rounds, seed = config.cross_entropy, config.seed
    by_play = learn(config, timed, rounds, seed, "timed")
    regression = logistic(rounds.plays)
    return {
        "crude": Constant(config.p),
        "siegmund": siegmund(config),
        "sheet": Constant(config.q),
        "defensive": Mixture((config.defensive, 1 - config.defensive), (config.p, config.q)),
        "cross_entropy": learn(config, constant, rounds, seed, "constant"),
        "variance_optimal": Constant(optimal_q(config)),
        "cross_entropy_by_play": by_play,
        "brownian": Brownian(),
        "learned": learn(config, regression, rounds, seed, "learned", first=by_play),
        "doob": Doob(),
    }


def study(
    config: Importance, ranks: Ranks = ALONE
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Every estimator beside the exact answer, and the exact error of every constant proposal.

    Args:
        config: the constants.
        ranks: the processes that share the paths.

    Returns:
        Arrays for the figures and metrics. The arrays are the `curves` against q, the law of the
        hitting time (`hit`), and by proposal some paths (`paths_…`, (shown, ticks)) and the
        weighted paths w·1{hit} / I (`relative_…`, (≤ 3000,)).

    Raises:
        InputError: no path reached the target with the sheet's q, so that there is no error to
            state.
    """
    exact, best = outcome(config), optimal_q(config)
    methods: dict[str, Any] = {}
    arrays = curves(config, ranks) | backdrop(config) | {"hit": exact.hit}
    for name, proposal in ranks.same(proposals(config)).items():
        found = tally(config, proposal, config.paths, config.seed, name, ranks)
        if name == "sheet" and not found.hits:
            raise InputError(
                f"none of the {config.paths} paths reached {config.target}: raise importance.q "
                f"(now {config.q:g}) or importance.paths"
            )
        methods[name] = judge(config, name, proposal, found, ranks)
        if found.first:
            samples = found.first.samples[:SHOWN] / exact.probability
            arrays[f"relative_{name}"] = samples
        paths = trajectories(config, proposal, config.shown, config.seed)
        arrays[f"paths_{name}"] = paths[:, arrays["ticks"]]
    for name, level_function in LEVELS.items():
        methods[name] = judge_splitting(config, name, level_function, ranks)
    return arrays, {
        "paths": config.paths,
        "exact": {
            "probability": Estimate.exact(exact.probability),
            "ruin": Estimate.exact(exact.ruin),
            "undecided": Estimate.exact(exact.undecided),
            "crude_relative_error": _exact_error(config, config.p),
            "optimal_q": Estimate.exact(best),
            "optimal_relative_error": _exact_error(config, best),
        },
        "methods": methods,
    }


def _exact_error(config: Importance, q: float) -> Estimate:
    return Estimate.exact(relative_deviation(config, q) / np.sqrt(config.paths))


def judge(
    config: Importance, name: str, proposal: Proposal, found: Tally, ranks: Ranks
) -> dict[str, Any]:
    """One proposal: estimate, observed and exact relative error, work, coverage.

    `work` is the exact relative variance of a path times the mean number of its plays: what an
    estimate with a relative error of 1 costs. Without a hit there is no estimate. For paths
    without weights there is the interval of Clopper and Pearson (1934) too.
    """
    exact = outcome(config).probability
    variance = max(relative_variance(config, proposal), 0.0)
    plays = found.plays.estimate()
    entry: dict[str, Any] = {
        "hits": found.hits,
        "plays": round(found.plays.n * found.plays.mean),
        "exact_relative_error": Estimate.exact(np.sqrt(variance / config.paths)),
        "work": Estimate(variance * plays.value, variance * plays.standard_error, plays.n),
    }
    if isinstance(proposal, Constant):
        entry["q"] = proposal.q
    if found.hits:
        relative = found.relative.estimate()
        entry["probability"] = _scaled(relative, exact)
        entry["intervals"] = intervals(entry["probability"])
        if found.hits > 1:  # one hit alone has no spread of which to speak
            entry["relative_error"] = found.relative.relative_error()
        if min(variance, found.relative.variance()) > NO_VARIANCE:
            entry["z_score"] = relative.z_score(1)
    if found.first and found.first.hit.any():
        log_w = found.first.log_weight
        weight = np.exp(log_w - log_w.max())
        entry["weights"] = {
            "paths": len(weight),
            "of_hits": weight_diagnostics(found.first.samples),
            "of_all": weight_diagnostics(weight),
        }
    if name == "crude":
        interval = clopper_pearson(found.hits, config.paths).ends()
        entry["intervals"] = entry.get("intervals", {}) | {"clopper_pearson": interval}
    if isinstance(proposal, Constant | Mixture):  # weights depend on the hitting time alone
        q, share = (
            (proposal.q, 0.0) if isinstance(proposal, Constant) else (config.q, config.defensive)
        )
        random = stream(config.seed, f"{name} coverage", 0)
        replicates = config.coverage.replicates
        entry["coverage"] = coverage(config, q, config.paths, replicates, random, share)
    elif variance > NO_VARIANCE:
        entry |= _repeated(name, *replicate(config, proposal, config.paths, config.coverage.played,
                                      config.seed, f"{name} coverage", ranks))  # fmt: skip
    return entry


def judge_splitting(
    config: Importance, name: str, level_function: LevelFunction, ranks: Ranks
) -> dict[str, Any]:
    """Splitting with one level function: the same answers, where no exact error is known.

    The paths of the study are divided into groups. All replicates are groups too, and `work` is
    the relative variance over replicates times the plays of one.
    """
    exact, groups = outcome(config).probability, config.splitting.groups
    paths, replicates = max(1, config.paths // groups), config.coverage.played
    level = level_function(config, config.splitting.levels)
    estimates, plays = split(
        config, level, paths, groups * (1 + replicates), config.seed, name, ranks
    )
    relative = estimates.reshape(-1, groups) / exact
    first = mean(relative[0])
    entry = {"plays": int(plays[:groups].sum()), "probability": _scaled(first, exact)}
    if first.value:
        entry["intervals"] = intervals(entry["probability"])
    moments = Moments.of(relative[0])
    if moments.variance() > NO_VARIANCE:
        entry["z_score"] = first.z_score(1)
        entry["relative_error"] = moments.relative_error()
    others = relative[1:]
    entry |= _repeated(name, others.mean(1), others.std(1, ddof=1) / np.sqrt(groups))
    error, cost = entry["replicated"]["relative_error"], mean(plays).value * groups
    spread = 2 * error.value * error.standard_error
    entry["work"] = Estimate(cost * error.value**2, cost * spread, replicates)
    return entry


def _repeated(name: str, centre: np.ndarray, error: np.ndarray) -> dict[str, Any]:
    """What replicates, in units of the exact probability, say: coverage, bias, relative error."""
    if not centre.any():
        raise InputError(
            f"{name}: no path reached the target in {len(centre)} replicates: raise "
            f"importance.paths"
        )
    together, root_n = Moments.of(centre).relative_error(), np.sqrt(len(centre))
    replicated: dict[str, Any] = {
        "relative_error": Estimate(
            together.value * root_n, together.standard_error * root_n, together.n
        )
    }
    if together.value**2 > NO_VARIANCE / len(centre):
        replicated["z_score"] = mean(centre).z_score(1)
    return {"coverage": share_covered(centre, error, 1.0), "replicated": replicated}


def _scaled(estimate: Estimate, unit: float) -> Estimate:
    return Estimate(estimate.value * unit, estimate.standard_error * unit, estimate.n)
