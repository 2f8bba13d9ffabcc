"""Multilevel splitting: paths of the game itself, copied whenever they come nearer to the target.

With fixed effort (Garvels, 2000; L'Ecuyer, Demers and Tuffin, 2007): at every level the same
number of paths starts from states in which paths of the level before arrived, drawn with
replacement. The product of the shares that arrive at the next level estimates the probability
without bias.

To add a level function, write one like `by_balance` and enter it in `methods.POPULATIONS`.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.groups import Groups, Splitting, in_groups
from nicelab.importance.proposals import log_climb

LevelFunction = Callable[[Gambler, int], np.ndarray]


def by_balance(gambler: Gambler, levels: int) -> np.ndarray:
    """Level by play and balance, (plays + 1, target + 1), int16: equal steps of the balance."""
    gain = np.arange(gambler.target + 1) - gambler.start
    level = np.floor(levels * gain.clip(0) / (gambler.target - gambler.start))
    return np.broadcast_to(level.astype(np.int16), (gambler.plays + 1, gambler.target + 1))


def by_reach(gambler: Gambler, levels: int) -> np.ndarray:
    """The same, by equal steps of the log probability with which the Brownian motion arrives.

    The best level function is the probability to reach the target itself; this one is known
    without solving the problem, and knows the time.
    """
    climb = gambler.target - np.arange(gambler.target + 1)
    level = np.empty((gambler.plays + 1, gambler.target + 1), np.int16)
    first = log_climb(climb, gambler.plays, gambler.p)[gambler.start]
    first = min(first, -np.finfo(float).tiny)  # where the target is reached for certain
    for t in range(gambler.plays + 1):
        with np.errstate(over="ignore"):
            share = 1 - log_climb(climb, gambler.plays - t, gambler.p) / first
        level[t] = np.floor(levels * share.clip(0, 1))
        level[t, :-1] = level[t, :-1].clip(max=levels - 1)
    return level


def split(
    gambler: Gambler, level: np.ndarray, paths: int, groups: int, draws: Draws
) -> tuple[np.ndarray, np.ndarray]:
    """Independent estimates of the probability, each from so many paths at every level.

    Args:
        gambler: the problem.
        level: by play and balance, highest at the target alone.
        paths: of a group, at each level.
        groups: how many estimates, each with a block of its own.
        draws: the random numbers.

    Returns:
        Estimates and numbers of plays, float64, shape (groups,) each.
    """

    def one(random: np.random.Generator) -> tuple[float, int]:
        return _split(level, gambler.start, gambler.p, paths, random)

    return in_groups(one, groups, draws)


def fixed_effort(function: LevelFunction) -> Groups:
    """Splitting with so many levels of this function."""

    def estimates(
        gambler: Gambler, config: Splitting, paths: int, groups: int, draws: Draws
    ) -> tuple[np.ndarray, np.ndarray]:
        return split(gambler, function(gambler, config.levels), paths, groups, draws)

    return estimates


@njit(cache=True, nogil=True)
def _split(  # noqa: ANN202 - the estimate and the plays
    level: np.ndarray, start: int, p: float, paths: int, random: np.random.Generator
):
    """One group: `arrived` are the plays and balances at which paths come to the next level."""
    last, target = level.shape[0] - 1, level.shape[1] - 1
    arrived = np.zeros((paths, 2), np.int64)
    arrived[0, 1] = start
    survivors, estimate, total = 1, 1.0, 0
    reached = np.empty((paths, 2), np.int64)
    for wanted in range(level[0, start] + 1, level[last, target] + 1):
        count = 0
        for _ in range(paths):
            t, chips = arrived[int(random.random() * survivors)]
            while 0 < chips and target - chips <= last - t and level[t, chips] < wanted:
                chips += 1 if random.random() < p else -1
                t += 1
                total += 1
            if level[t, chips] >= wanted:
                reached[count] = t, chips
                count += 1
        estimate *= count / paths
        if not count:
            break
        arrived, reached, survivors = reached, arrived, count
    return estimate, total
