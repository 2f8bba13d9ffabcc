"""Importance sampling of the gambler's rare event (problem 5).

Paths are drawn with the win probabilities q of a proposal and weighted by the likelihood ratio of
their plays,

    Î = (1/N) Σ_i w_i 1{path i reaches the target},

where w_i is the product of p/q over its wins and of (1 − p)/(1 − q) over its losses.

The plain estimator, not the self-normalised one: here the normalising sum has far more variance
than what it would correct.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from scipy.stats import binomtest

from nicelab.errors import InputError
from nicelab.gambler import Gambler, Probability, optimal_q, outcome, relative_deviation
from nicelab.proposals import (
    Brownian,
    Constant,
    Doob,
    Proposal,
    relative_variance,
    siegmund,
    within_reach,
)
from nicelab.statistics import Estimate, mean, relative_error

BLOCK = 1 << 16  # paths at once; path i is always the same one of block i // BLOCK
NO_VARIANCE = 1e-9  # relative variance below which only rounding is left


class Importance(Gambler):
    """The gambler, the sheet's proposal and the number of paths."""

    q: Probability
    paths: Annotated[int, Field(ge=2, le=100_000_000)]
    shown: Annotated[int, Field(ge=0, le=1000)]
    seed: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Paths:
    """Simulated games: whether each reached the target, its log weight, its number of plays.

    A game stops as soon as the target is out of reach.
    """

    hit: np.ndarray
    log_weight: np.ndarray
    plays: np.ndarray

    @property
    def samples(self) -> np.ndarray:
        """w·1{hit} of each path, whose mean estimates the probability; float64."""
        return np.where(self.hit, np.exp(self.log_weight), 0.0)


@dataclass
class Games:
    """Games in progress, of shape (paths,) each."""

    chips: np.ndarray
    log_weight: np.ndarray
    plays: np.ndarray

    @classmethod
    def start(cls, gambler: Gambler, paths: int) -> "Games":
        """All at their first play."""
        return cls(np.full(paths, gambler.start), np.zeros(paths), np.zeros(paths, int))


def stream(seed: int, name: str, block: int) -> np.random.Generator:
    """Random numbers of a block of paths: Philox (Salmon et al., 2011) with the block as counter.

    No block depends on those before it, so it does not matter which process plays it.
    """
    key = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(2, np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, block]))


def play(
    gambler: Gambler, proposal: Proposal, paths: int, random: np.random.Generator
) -> Iterator[Games]:
    """Play games at the same time; gives the same object after every play.

    Each play draws one number for every path, whether it still plays or not, so that a path does
    not depend on how the others fare.

    Args:
        gambler: the problem, with the true win probability p.
        proposal: the win probabilities to play with.
        paths: number of games.
        random: the source of the plays.
    """
    games, playing = Games.start(gambler, paths), np.arange(paths)
    for t, q in enumerate(proposal.rows(gambler)):
        reach = within_reach(gambler, gambler.plays - t)
        chips = games.chips[playing]
        playing = playing[(chips >= reach.start) & (chips < reach.stop)]
        if not playing.size:
            return
        with np.errstate(divide="ignore"):
            won, lost = np.log(gambler.p / q), np.log((1 - gambler.p) / (1 - q))
        chips = games.chips[playing]
        wins = random.random(paths)[playing] < q[chips]
        games.log_weight[playing] += np.where(wins, won[chips], lost[chips])
        games.chips[playing] += np.where(wins, 1, -1)
        games.plays[playing] += 1
        yield games


def simulate(gambler: Gambler, proposal: Proposal, paths: int, seed: int, name: str) -> Paths:
    """All games to their end, a block at a time.

    Args:
        gambler: the problem.
        proposal: the win probabilities to play with.
        paths: number of games.
        seed: of the random numbers.
        name: of their stream.
    """
    blocks = []
    for block in range(-(-paths // BLOCK)):
        count = min(BLOCK, paths - block * BLOCK)
        games = Games.start(gambler, count)
        for games in play(gambler, proposal, count, stream(seed, name, block)):  # noqa: B007
            pass
        blocks.append((games.chips == gambler.target, games.log_weight, games.plays))
    return Paths(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def trajectories(gambler: Gambler, proposal: Proposal, paths: int, seed: int) -> np.ndarray:
    """Chips after each play, NaN after the end of the game; float64, shape (paths, plays)."""
    chips = np.full((paths, gambler.plays), np.nan)
    for t, games in enumerate(play(gambler, proposal, paths, stream(seed, "shown", 0))):
        chips[:, t] = np.where(games.plays > t, games.chips, np.nan)
    return chips


def proposals(config: Importance) -> dict[str, Proposal]:
    """Every proposal, by name, from the worst to the best."""
    return {
        "crude": Constant(config.p),
        "siegmund": siegmund(config),
        "sheet": Constant(config.q),
        "variance_optimal": Constant(optimal_q(config)),
        "brownian": Brownian(),
        "doob": Doob(),
    }


def study(config: Importance) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Every estimator beside the exact answer, and the exact error of every constant proposal.

    Returns:
        Arrays for the figures (exact relative error at this number of paths against q, and some
        paths), and metrics.

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
    if name == "crude":
        interval = binomtest(found["hits"], config.paths).proportion_ci(method="exact")
        found["interval"] = {"lower": interval.low, "upper": interval.high}
    return found
