"""Importance sampling of the gambler's rare event (problem 5).

Paths are drawn with win probability q and weighted by the likelihood ratio of their plays,

    Î = (1/N) Σ_i w_i 1{path i reaches the target},   w = (p/q)^wins ((1 − p)/(1 − q))^losses.

The plain estimator, not the self-normalised one: here the normalising sum has far more variance
than what it would correct.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from nicelab.device import generator as stream
from nicelab.errors import InputError
from nicelab.gambler import Gambler, Probability, optimal_q, outcome, relative_deviation
from nicelab.statistics import Estimate, mean, relative_error

BLOCK = 4_000_000  # plays drawn at once, so that memory does not grow with their number


class Importance(Gambler):
    """The gambler, the proposal and the number of paths."""

    q: Probability
    paths: Annotated[int, Field(ge=2, le=100_000_000)]
    shown: Annotated[int, Field(ge=0, le=1000)]
    seed: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Paths:
    """Simulated games: whether each reached the target, its log weight, its number of plays."""

    hit: np.ndarray
    log_weight: np.ndarray
    plays: np.ndarray

    @property
    def samples(self) -> np.ndarray:
        """w·1{hit} of each path, whose mean estimates the probability; float64."""
        return np.where(self.hit, np.exp(self.log_weight), 0.0)


def simulate(gambler: Gambler, q: float, paths: int, generator: torch.Generator) -> Paths:
    """Play games with win probability q.

    Args:
        gambler: the problem, with the true win probability p.
        q: the win probability to play with.
        paths: number of games.
        generator: the source of the plays.
    """
    blocks, size = [], max(1, BLOCK // gambler.plays)
    for done in range(0, paths, size):
        chips = balances(gambler, q, min(size, paths - done), generator)
        blocks.append(_weigh(gambler, q, *_stop(gambler, chips)))
    return Paths(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def balances(gambler: Gambler, q: float, paths: int, generator: torch.Generator) -> np.ndarray:
    """Chips after each play, as if no game stopped; int32, shape (paths, plays)."""
    u = torch.rand(paths, gambler.plays, generator=generator, dtype=torch.float64).numpy()
    steps = np.where(u < q, 1, -1)
    return gambler.start + steps.cumsum(axis=1, dtype=np.int32)


def _stop(gambler: Gambler, chips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of plays of each game, and chips at its end."""
    over = (chips <= 0) | (chips >= gambler.target)
    over[:, -1] = True
    last = over.argmax(axis=1)
    return last + 1, chips[np.arange(len(chips)), last]


def _weigh(
    gambler: Gambler, q: float, plays: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each path hit the target, its log weight and its plays."""
    wins = (plays + end - gambler.start) // 2
    log_weight = wins * np.log(gambler.p / q) + (plays - wins) * np.log((1 - gambler.p) / (1 - q))
    return end >= gambler.target, log_weight, plays


def study(config: Importance) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The sheet's estimate, the exact answer, and the exact error of every other proposal.

    Returns:
        Arrays for the figure (exact relative error at this number of paths against q, and some
        paths), and metrics.

    Raises:
        InputError: no path reached the target, so that there is no error to state.
    """
    paths = simulate(config, config.q, config.paths, stream(config.seed, "paths"))
    if not paths.hit.any():
        raise InputError(
            f"none of the {config.paths} paths reached {config.target}: raise importance.q "
            f"(now {config.q:g}) or importance.paths"
        )
    exact, best = outcome(config), optimal_q(config)
    root_n = np.sqrt(config.paths)

    def exact_error(q: float) -> Estimate:
        return Estimate.exact(relative_deviation(config, q) / root_n)

    q = np.linspace(config.p, min(0.75, (1 + config.p) / 2), 200)
    shown = balances(config, config.q, config.shown, stream(config.seed, "shown"))
    curves = {
        "q": q,
        "exact_relative_error": relative_deviation(config, q) / root_n,
        "paths": stopped(config, shown),
    }
    metrics = {
        "exact": {
            "probability": Estimate.exact(exact.probability),
            "ruin": Estimate.exact(exact.ruin),
            "undecided": Estimate.exact(exact.undecided),
            "crude_relative_error": exact_error(config.p),
            "optimal_q": Estimate.exact(best),
            "optimal_relative_error": exact_error(best),
        },
        "methods": {
            "sheet": {
                "q": config.q,
                "probability": mean(paths.samples),
                "relative_error": relative_error(paths.samples),
                "exact_relative_error": exact_error(config.q),
                "z_score": mean(paths.samples).z_score(exact.probability),
                "hits": int(paths.hit.sum()),
                "plays": int(paths.plays.sum()),
            }
        },
    }
    return curves, metrics


def stopped(gambler: Gambler, chips: np.ndarray) -> np.ndarray:
    """Balances from `balances` with NaN after the end of each game; float64, same shape."""
    plays, _ = _stop(gambler, chips)
    return np.where(np.arange(chips.shape[1]) < plays[:, None], chips, np.nan)
