"""A twisted particle filter: importance sampling whose weights are evened out on the way.

Particles move with the win probabilities of a transform by some function h of play and balance,
q = p h(t, x + 1) / H(t − 1, x) with H(t − 1, x) = p h(t, x + 1) + (1 − p) h(t, x − 1), and are
weighted by H / h for each play: how far h is from being harmonic there (Whiteley and Lee, 2014;
Guarniero, Johansen and Lee, 2017). For Doob's h all weights are 1. Whenever the effective sample
size falls below a share of the particles they are drawn anew by their weights, with one uniform
number for all (systematic resampling). The product of the mean weights is without bias
(Del Moral, 2004, proposition 7.4.1).
"""

import numpy as np
from numba import njit

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.groups import Splitting, in_groups
from nicelab.importance.proposals import log_climb


def twisted(
    gambler: Gambler, config: Splitting, paths: int, groups: int, draws: Draws
) -> tuple[np.ndarray, np.ndarray]:
    """With the Brownian probability to climb as h.

    Args:
        gambler: the problem.
        config: the share of effective particles below which they are drawn anew.
        paths: particles of a group.
        groups: how many estimates.
        draws: the random numbers.

    Returns:
        Estimates and numbers of plays, float64, shape (groups,) each.
    """
    log_h = brownian(gambler)
    win, factor = moves(log_h, gambler.p)
    first = float(np.exp(log_h[0, gambler.start]))

    def one(random: np.random.Generator) -> tuple[float, int]:
        estimate, plays = _filter(win, factor, gambler.start, paths, config.effective, random)
        return first * estimate, plays

    return in_groups(one, groups, draws)


def brownian(gambler: Gambler) -> np.ndarray:
    """Log h by play and balance, (plays + 1, target + 1); −∞ at ruin and out of reach."""
    climb = gambler.target - np.arange(gambler.target + 1)
    log_h = np.empty((gambler.plays + 1, gambler.target + 1))
    for t in range(gambler.plays + 1):
        left = gambler.plays - t
        log_h[t] = np.where(climb <= left, log_climb(climb, left, gambler.p), -np.inf)
    log_h[:, 0] = -np.inf
    return log_h


def moves(log_h: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Win probability and weight H / h of the next play, by play and balance.

    Args:
        log_h: by play and balance, (plays + 1, target + 1).
        p: probability to win a play.

    Returns:
        Shape (plays, target + 1) each; a weight of 1 at the target, and of 0 where h is.
    """
    up, down = np.log(p) + log_h[1:, 2:], np.log1p(-p) + log_h[1:, :-2]
    both, here = np.logaddexp(up, down), log_h[:-1, 1:-1]
    win, factor = np.zeros((2, *log_h[1:].shape))
    possible = np.isfinite(both)
    win[:, 1:-1][possible] = np.exp(up[possible] - both[possible])
    factor[:, 1:-1][possible] = np.exp(both[possible] - here[possible])
    factor[:, -1] = 1
    return win, factor


@njit(cache=True, nogil=True)
def _filter(  # noqa: ANN202 - the estimate in units of h at the start, and the plays
    win: np.ndarray,
    factor: np.ndarray,
    start: int,
    paths: int,
    effective: float,
    random: np.random.Generator,
):
    """One group; a particle at the target stays there with its weight."""
    target = win.shape[1] - 1
    chips, weight = np.full(paths, start), np.ones(paths)
    estimate, total = 1.0, 0
    for t in range(len(win)):
        first, second = 0.0, 0.0
        for i in range(paths):
            x = chips[i]
            if x != target and weight[i] > 0:
                weight[i] *= factor[t, x]
                if weight[i] > 0:
                    chips[i] += 1 if random.random() < win[t, x] else -1
                    total += 1
            first += weight[i]
            second += weight[i] ** 2
        if first == 0:
            return 0.0, total
        if first**2 < effective * paths * second:
            estimate *= first / paths
            chips = _drawn(chips, weight, random.random())
            weight[:] = 1
    return estimate * np.mean(weight * (chips == target)), total


@njit(cache=True, nogil=True)
def _drawn(  # noqa: ANN202 - as many particles
    chips: np.ndarray, weight: np.ndarray, uniform: float
):
    """Systematic resampling: particle i is there once for each (uniform + k) / n in its share."""
    n, share = len(chips), np.cumsum(weight) / weight.sum()
    drawn, i = np.empty_like(chips), 0
    for k in range(n):
        while i < n - 1 and share[i] < (uniform + k) / n:
            i += 1
        drawn[k] = chips[i]
    return drawn
