"""Paths of the tandem queue, drawn with a proposal and weighted by their likelihood ratio."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from nicelab.importance.draws import Draws
from nicelab.importance.threads import concurrently
from nicelab.tandem.exact import harmonic
from nicelab.tandem.queue import Queue

BLOCK = 1 << 11  # paths with random numbers of their own


@dataclass(frozen=True)
class Paths:
    """Some paths, or groups of them.

    Args:
        relative: estimate of each in units of the exact probability, (n,).
        jumps: number of jumps of each, (n,).
    """

    relative: np.ndarray
    jumps: np.ndarray


def simulate(queue: Queue, q: np.ndarray, paths: int, draws: Draws) -> Paths:
    """Paths from (1, 0) until there are N customers or none, weighted by Π p / q.

    Args:
        queue: the problem.
        q: probabilities of each kind of jump, (states, 3).
        paths: how many.
        draws: the random numbers; block b has stream b.
    """
    limits = limits_of(q)
    ratio = np.divide(queue.jumps(), q, out=np.ones_like(q), where=q > 0)
    log_ratio, exact = np.log(np.where(ratio > 0, ratio, 1)), harmonic(queue).log

    def block(first: int) -> tuple[np.ndarray, np.ndarray]:
        count = min(BLOCK, paths - first)
        return _weighted(limits, log_ratio, queue.size, count, draws.stream(first // BLOCK))

    found = list(concurrently(block, range(0, paths, BLOCK)))
    log_weight, jumps = (np.concatenate(part) for part in zip(*found, strict=True))
    return Paths(np.exp(log_weight - exact), jumps)


def limits_of(q: np.ndarray) -> np.ndarray:
    """What a uniform number must be below for the first and the second kind of jump, (states, 2).

    Where the last kind is impossible the second limit is 1, whatever the rounding of the sum.
    """
    second = np.where(q[:, 2] > 0, q[:, 0] + q[:, 1], 1.0)
    return np.stack([q[:, 0], second], 1)


@njit(cache=True, nogil=True)
def jump(i: int, j: int, limits: np.ndarray, uniform: float):  # noqa: ANN201 - compiled
    """The next jump from i customers at the first and j at the second server.

    Returns:
        Customers after it, the index of the state before it, and its kind.
    """
    state = (i + j) * (i + j + 1) // 2 + j
    if uniform < limits[state, 0]:
        return i + 1, j, state, 0
    if uniform < limits[state, 1]:
        return i - 1, j + 1, state, 1
    return i, j - 1, state, 2


@njit(cache=True, nogil=True)
def _weighted(  # noqa: ANN202 - log weights, −∞ without a hit, and numbers of jumps
    limits: np.ndarray, log_ratio: np.ndarray, size: int, paths: int, random: np.random.Generator
):
    log_weight, jumps = np.zeros(paths), np.zeros(paths, np.int64)
    for path in range(paths):
        i, j = 1, 0
        while 0 < i + j < size:
            i, j, state, kind = jump(i, j, limits, random.random())
            log_weight[path] += log_ratio[state, kind]
            jumps[path] += 1
        if i + j == 0:
            log_weight[path] = -np.inf
    return log_weight, jumps
