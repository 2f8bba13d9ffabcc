"""Adaptive multilevel splitting: the paths themselves choose the levels (Cérou and Guyader, 2007).

All paths of a group are played to their end. Then those that came least high, a share of the
group or more where several are level, are killed; each takes the way of a survivor, chosen at
random, up to the first play at which that one was higher than all that were killed, and goes on
from there with random numbers of its own. With a fraction 1 − K_j / N left at step j,

    Î = Π_j (1 − K_j / N) · (share that reaches the target at last)

has no bias for any number of paths, since ties are killed together and a copy begins above them
(Bréhier, Gazeau, Goudenège, Lelièvre and Rousset, 2016).
"""

import numpy as np
from numba import njit

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.groups import Splitting, in_groups
from nicelab.importance.splitting import by_reach

HEIGHTS = 30_000  # levels between which the height of a path is told apart


def adaptive(
    gambler: Gambler, config: Splitting, paths: int, groups: int, draws: Draws
) -> tuple[np.ndarray, np.ndarray]:
    """By height on the scale of `by_reach`.

    Args:
        gambler: the problem.
        config: the share that is killed at a time.
        paths: of a group.
        groups: how many estimates.
        draws: the random numbers.

    Returns:
        Estimates and numbers of plays, float64, shape (groups,) each.
    """
    height = by_reach(gambler, HEIGHTS)
    killed = max(1, int(config.killed * paths))

    def one(random: np.random.Generator) -> tuple[float, int]:
        return _adapt(height, gambler.start, gambler.p, paths, killed, random)

    return in_groups(one, groups, draws)


@njit(cache=True, nogil=True)
def _adapt(  # noqa: ANN202 - the estimate and the plays
    height: np.ndarray, start: int, p: float, paths: int, killed: int, random: np.random.Generator
):
    """One group: `chips` are balances by path and play, `top` the greatest height of each."""
    plays, target = height.shape[0] - 1, height.shape[1] - 1
    chips = np.empty((paths, plays + 1), np.int16)
    chips[:, 0] = start
    top, total = np.empty(paths, np.int64), 0
    for i in range(paths):
        top[i], played = _go_on(chips[i], 0, height, p, random)
        total += played
    estimate, summit = 1.0, height[plays, target]
    while True:
        lowest = np.sort(top)[killed - 1]
        if lowest >= summit:
            return estimate * np.mean(top >= summit), total
        survivors = np.flatnonzero(top > lowest)
        estimate *= len(survivors) / paths
        if not len(survivors):
            return estimate, total
        for i in np.flatnonzero(top <= lowest):
            other, t = survivors[int(random.random() * len(survivors))], 0
            while height[t, chips[other, t]] <= lowest:
                chips[i, t] = chips[other, t]
                t += 1
            chips[i, t] = chips[other, t]
            top[i], played = _go_on(chips[i], t, height, p, random)
            total += played


@njit(cache=True, nogil=True)
def _go_on(  # noqa: ANN202 - the greatest height from there on, and the plays
    chips: np.ndarray, first: int, height: np.ndarray, p: float, random: np.random.Generator
):
    """Play from a balance after some plays to the end, or until the target is out of reach."""
    last, target = height.shape[0] - 1, height.shape[1] - 1
    t, x = first, np.int64(chips[first])
    top = height[t, x]
    while 0 < x < target and target - x <= last - t:
        x += 1 if random.random() < p else -1
        t += 1
        chips[t] = x
        top = max(top, height[t, x])
    return top, t - first
