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

    def one(random: np.random.Generator) -> tuple[float, int]:
        return _filter(log_h, gambler.start, gambler.p, paths, config.effective, random)

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


@njit(cache=True, nogil=True)
def _filter(  # noqa: ANN202 - the estimate and the plays
    log_h: np.ndarray,
    start: int,
    p: float,
    paths: int,
    effective: float,
    random: np.random.Generator,
):
    """One group; a particle at the target stays there with its weight."""
    target = log_h.shape[1] - 1
    chips, log_weight = np.full(paths, start), np.zeros(paths)
    log_estimate, total = log_h[0, start], 0
    for t in range(1, len(log_h)):
        for i in range(paths):
            x = chips[i]
            if x == target or log_weight[i] == -np.inf:
                continue
            up, down = np.log(p) + log_h[t, x + 1], np.log(1 - p) + log_h[t, x - 1]
            both = np.logaddexp(up, down)
            log_weight[i] += both - log_h[t - 1, x]
            if both > -np.inf:
                chips[i] += 1 if random.random() < np.exp(up - both) else -1
                total += 1
        largest = log_weight.max()
        if largest == -np.inf:
            return 0.0, total
        weight = np.exp(log_weight - largest)
        if weight.sum() ** 2 < effective * paths * (weight**2).sum():
            log_estimate += largest + np.log(weight.mean())
            chips = _drawn(chips, weight, random.random())
            log_weight[:] = 0
    return np.exp(log_estimate) * np.mean(np.exp(log_weight) * (chips == target)), total


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
