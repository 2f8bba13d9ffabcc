"""Importance sampling of the gambler's rare event (problem 5).

Paths are drawn with the win probabilities q of a proposal and weighted by the likelihood ratio of
their plays,

    Î = (1/N) Σ_i w_i 1{path i reaches the target},

where w_i is the product of p/q over its wins and of (1 − p)/(1 − q) over its losses.

The plain estimator, not the self-normalised one: here the normalising sum has far more variance
than what it would correct.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from nicelab.errors import InputError
from nicelab.importance.config import Importance
from nicelab.importance.draws import Draws
from nicelab.importance.exhibits import backdrop, by_error, curves
from nicelab.importance.gambler import optimal_q, outcome, relative_deviation
from nicelab.importance.intervals import KINDS, UNWEIGHTED
from nicelab.importance.judgement import judge, judge_groups
from nicelab.importance.methods import POPULATIONS, Weighted, proposals, rivals
from nicelab.importance.proposals import Proposal
from nicelab.importance.rarity import rarity
from nicelab.importance.records import RareEvent, Walks
from nicelab.importance.simulation import trajectories
from nicelab.importance.trials import Tally, tally
from nicelab.importance.verdicts import Methods, pays_off_below
from nicelab.importance.weights import require_unbiased
from nicelab.machine.ranks import ALONE, Ranks
from nicelab.statistics import Estimate

T = TypeVar("T")
SHOWN = 3000  # paths at most whose weights the figures show


def measure(config: Importance, ranks: Ranks = ALONE) -> tuple[RareEvent, dict[str, Any]]:
    """Every estimator beside the exact answer, and the exact error of every constant proposal.

    Args:
        config: the constants.
        ranks: the processes that share the paths.

    Returns:
        Arrays for the figures, and metrics; their labels are in the order of the ladder, from
        the largest relative error to the smallest.

    Raises:
        InputError: a proposal is biased, or no path reached the target with the sheet's q, so
            that there is no error to state.
    """
    draws = Draws(config.seed, ranks=ranks)
    methods: dict[str, Any] = {}
    walks: dict[str, Walks] = {}
    weighted = ranks.same(proposals(config))
    for name, entry in weighted.items():
        require_unbiased(config, entry.proposal, name)
    shown, background = curves(config, draws), backdrop(config)
    for name, entry in _watched(weighted):
        found = tally(config, entry.proposal, config.paths, draws.named(name))
        if name == "sheet":
            _require_hit(config, found)
        methods[name] = judge(config, entry.proposal, found, draws.named(name))
        walks[name] = _walks(config, entry.proposal, found, background["ticks"])
    for name, entry in weighted.items():
        methods[name] |= learning(methods, weighted, name) if entry.learning else {}
    for name, entry in _watched(POPULATIONS):
        methods[name] = judge_groups(config, entry.estimates, draws.named(name))
    grown, exponents = rarity(config, draws)
    record = RareEvent(**shown, **background, hit=outcome(config).hit, walks=walks, **grown)
    every = weighted | POPULATIONS
    labels = {
        "methods": {name: every[name].label for name in by_error(methods)},
        "intervals": {name: kind.label for name, kind in (KINDS | UNWEIGHTED).items()},
    }
    answers = {"paths": config.paths, "exact": exact_answers(config), "methods": methods}
    answers |= {"rarer": exponents}
    return record, {**answers, "labels": labels}


def _watched(entries: Mapping[str, T]) -> Iterator[tuple[str, T]]:
    """The entries, with a bar on a terminal that tells which is at work."""
    bar = tqdm(entries.items(), unit=" estimators", disable=None)
    for name, entry in bar:
        bar.set_description(name)
        yield name, entry


def learning(methods: Methods, entries: dict[str, Weighted], name: str) -> dict[str, Any]:
    """What a proposal was learned from, and below which error that is paid for.

    Its rival is the one with the least work among those that see no more and learn nothing.
    """
    rival = min(rivals(entries, name), key=lambda other: methods[other]["work"].value)
    works, plays = [methods[x]["work"] for x in (name, rival)], entries[name].learning
    below = pays_off_below(works[0], plays, works[1])
    return {
        "learning": plays,
        "rival": rival,
        **({} if below is None else {"pays_off_below": below}),
    }


def _require_hit(config: Importance, found: Tally) -> None:
    if not found.hits:
        raise InputError(
            f"none of the {config.paths} paths reached {config.target}: raise importance.q "
            f"(now {config.q:g}) or importance.paths"
        )


def _walks(config: Importance, proposal: Proposal, found: Tally, ticks: np.ndarray) -> Walks:
    """Weights of the paths that were played, and some paths from first to last."""
    relative = found.first.samples[:SHOWN] / outcome(config).probability
    paths = trajectories(config, proposal, config.shown, Draws(config.seed, "shown"))
    return Walks(relative=relative, paths=paths[:, ticks])


def exact_answers(config: Importance) -> dict[str, Estimate]:
    """The law of the end of the game, and the best constant proposal."""
    exact, best = outcome(config), optimal_q(config)
    return {
        "probability": Estimate.exact(exact.probability),
        "ruin": Estimate.exact(exact.ruin),
        "undecided": Estimate.exact(exact.undecided),
        "crude_relative_error": _exact_error(config, config.p),
        "optimal_q": Estimate.exact(best),
        "optimal_relative_error": _exact_error(config, best),
    }


def _exact_error(config: Importance, q: float) -> Estimate:
    return Estimate.exact(relative_deviation(config, q) / np.sqrt(config.paths))
