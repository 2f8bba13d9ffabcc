"""Importance sampling of the gambler's rare event (problem 5).

Paths are drawn with the win probabilities q of a proposal and weighted by the likelihood ratio of
their plays,

    Î = (1/N) Σ_i w_i 1{path i reaches the target},

where w_i is the product of p/q over its wins and of (1 − p)/(1 − q) over its losses.

The plain estimator, not the self-normalised one: here the normalising sum has far more variance
than what it would correct.
"""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from nicelab.cross_entropy import CrossEntropy, constant, learn, logistic, timed
from nicelab.errors import InputError
from nicelab.gambler import Gambler, Probability, optimal_q, outcome, relative_deviation
from nicelab.intervals import Replicates, clopper_pearson, coverage, weight_diagnostics
from nicelab.proposals import (
    Brownian,
    Constant,
    Doob,
    Proposal,
    relative_variance,
    siegmund,
)
from nicelab.simulation import simulate, stream, trajectories
from nicelab.statistics import Estimate, mean, relative_error

NO_VARIANCE = 1e-9  # relative variance below which only rounding is left


class Importance(Gambler):
    """The gambler, the sheet's proposal and the number of paths."""

    q: Probability
    paths: Annotated[int, Field(ge=2, le=100_000_000)]
    shown: Annotated[int, Field(ge=0, le=1000)]
    cross_entropy: CrossEntropy
    coverage: Replicates
    seed: Annotated[int, Field(ge=0)]


def proposals(config: Importance) -> dict[str, Proposal]:
    """Every proposal, by name; the learned ones know samples alone."""
    rounds, seed = config.cross_entropy, config.seed
    by_play = learn(config, timed, rounds, seed, "timed")
    regression = logistic(rounds.plays)
    return {
        "crude": Constant(config.p),
        "siegmund": siegmund(config),
        "sheet": Constant(config.q),
        "cross_entropy": learn(config, constant, rounds, seed, "constant"),
        "variance_optimal": Constant(optimal_q(config)),
        "cross_entropy_by_play": by_play,
        "brownian": Brownian(),
        "learned": learn(config, regression, rounds, seed, "learned", first=by_play),
        "doob": Doob(),
    }


def study(config: Importance) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Every estimator beside the exact answer, and the exact error of every constant proposal.

    Returns:
        Arrays for the figures (exact relative error at this number of paths against q, coverage
        of intervals against q, some paths, and the law of the hitting time), and metrics.

    Raises:
        InputError: no path reached the target with the sheet's q, so that there is no error to
            state.
    """
    exact, best = outcome(config), optimal_q(config)
    root_n = np.sqrt(config.paths)

    def exact_error(q: float) -> Estimate:
        return Estimate.exact(relative_deviation(config, q) / root_n)

    methods = {name: judge(config, name, proposal) for name, proposal in proposals(config).items()}
    if not methods["sheet"]["hits"]:
        raise InputError(
            f"none of the {config.paths} paths reached {config.target}: raise importance.q "
            f"(now {config.q:g}) or importance.paths"
        )
    q = np.linspace(config.p, min(0.75, (1 + config.p) / 2), 200)
    curves = {
        "q": q,
        "exact_relative_error": relative_deviation(config, q) / root_n,
        "paths": trajectories(config, Constant(config.q), config.shown, config.seed),
    }
    curves |= coverage_curve(config) | {"hit": exact.hit}
    return curves, {
        "paths": config.paths,
        "exact": {
            "probability": Estimate.exact(exact.probability),
            "ruin": Estimate.exact(exact.ruin),
            "undecided": Estimate.exact(exact.undecided),
            "crude_relative_error": exact_error(config.p),
            "optimal_q": Estimate.exact(best),
            "optimal_relative_error": exact_error(best),
        },
        "methods": methods,
    }


def coverage_curve(config: Importance) -> dict[str, np.ndarray]:
    """Coverage of both intervals against q, with its standard error: `coverage_…`, (points,)."""
    q = np.linspace(config.p, min(0.75, (1 + config.p) / 2), config.coverage.points)
    replicates = config.coverage.replicates
    shares = [
        coverage(config, float(x), config.paths, replicates, stream(config.seed, "coverage", i))
        for i, x in enumerate(q)
    ]
    found = {"coverage_q": q}
    for kind in ("normal", "log_normal"):
        found[f"coverage_{kind}"] = np.array([share[kind].value for share in shares])
        errors = [share[kind].standard_error for share in shares]
        found[f"coverage_{kind}_standard_error"] = np.array(errors)
    return found


def judge(config: Importance, name: str, proposal: Proposal) -> dict[str, Any]:
    """One estimator: estimate, observed and exact relative error, work.

    `work` is the exact relative variance of a path times the mean number of its plays: what an
    estimate with a relative error of 1 costs. Without a hit there is no estimate. For paths
    without weights the interval is that of Clopper and Pearson (1934).
    """
    paths = simulate(config, proposal, config.paths, config.seed, name)
    variance = max(relative_variance(config, proposal), 0.0)
    plays = mean(paths.plays)
    found: dict[str, Any] = {
        "hits": int(paths.hit.sum()),
        "plays": int(paths.plays.sum()),
        "exact_relative_error": Estimate.exact(np.sqrt(variance / config.paths)),
        "work": Estimate(variance * plays.value, variance * plays.standard_error, plays.n),
    }
    if isinstance(proposal, Constant):
        found["q"] = proposal.q
    if paths.hit.any():
        found["probability"] = mean(paths.samples)
        found["relative_error"] = relative_error(paths.samples)
        if variance > NO_VARIANCE:
            found["z_score"] = found["probability"].z_score(outcome(config).probability)
        found["weights"] = {
            "of_hits": weight_diagnostics(paths.samples),
            "of_all": weight_diagnostics(np.exp(paths.log_weight)),
        }
    if name == "crude":
        interval = clopper_pearson(found["hits"], config.paths)
        found["interval"] = {"lower": float(interval.lower), "upper": float(interval.upper)}
    if isinstance(proposal, Constant):
        random = stream(config.seed, f"{name} coverage", 0)
        found["coverage"] = coverage(
            config, proposal.q, config.paths, config.coverage.replicates, random
        )
    return found
