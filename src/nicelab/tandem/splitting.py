"""Splitting: paths of the queue itself, copied whenever they come to a higher level.

With fixed effort (Garvels, 2000): from each level start as many paths as from any other, in states
in which those before arrived, drawn with replacement. The product of the shares that come to the
next level before the queue is empty is an estimate without bias, whatever the levels.

To add a level function, write one like `by_customers` and enter it in `SPLITTING`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numba import njit

from nicelab.importance.draws import Draws
from nicelab.importance.threads import concurrently
from nicelab.tandem.config import Levels
from nicelab.tandem.exact import harmonic
from nicelab.tandem.proposals import formula
from nicelab.tandem.queue import START, Queue
from nicelab.tandem.simulation import Paths, jump, limits_of


@dataclass(frozen=True)
class Splitting:
    """What readers call it, and the level of every state, int64, (states with N,).

    It is 0 at the start, −1 in the empty state, and largest where there are N customers alone.
    """

    label: str
    levels: Callable[[Queue], np.ndarray]


def by_customers(queue: Queue) -> np.ndarray:
    """A level for every number of customers."""
    return np.add(*queue.states(end=True)) - 1


def by_formula(queue: Queue) -> np.ndarray:
    """As many levels, by equal steps of the logarithm of the formula for the probability.

    The best level function is the probability itself (Dean and Dupuis, 2009, on subsolutions).
    """
    i, j = queue.states(end=True)
    height = np.log(formula(queue)) - queue.decay * (queue.size - i - j)
    share = 1 - height / height[START]
    level = np.floor((queue.size - 1) * share.clip(0, 1)).astype(np.int64)
    full = i + j == queue.size
    level[~full] = level[~full].clip(max=queue.size - 2)
    level[full], level[0] = queue.size - 1, -1
    return level


SPLITTING: Mapping[str, Splitting] = MappingProxyType(
    {
        "splitting_by_customers": Splitting("splitting by customers", by_customers),
        "splitting_by_formula": Splitting("splitting by formula", by_formula),
    }
)


def split(queue: Queue, splitting: Splitting, config: Levels, draws: Draws) -> Paths:
    """Independent groups, each an estimate.

    Args:
        queue: the problem.
        splitting: its levels.
        config: paths from each level, and groups.
        draws: the random numbers; group k has stream k.
    """
    limits, exact = limits_of(queue.jumps()), harmonic(queue).log
    level = splitting.levels(queue)

    def group(k: int) -> tuple[float, int]:
        return _split(level, limits, config.paths, draws.stream(k))

    found = np.array(list(concurrently(group, range(config.groups))))
    return Paths(np.exp(found[:, 0] - exact), found[:, 1])


@njit(cache=True, nogil=True)
def _split(  # noqa: ANN202 - the log of the estimate, and the number of jumps
    level: np.ndarray, limits: np.ndarray, paths: int, random: np.random.Generator
):
    """One group: `arrived` are the customers of both servers where paths come to a level."""
    arrived, reached = np.zeros((paths, 2), np.int64), np.zeros((paths, 2), np.int64)
    arrived[0, 0] = 1
    survivors, log_estimate, total = 1, 0.0, 0
    for wanted in range(1, level[-1] + 1):
        count = 0
        for _ in range(paths):
            i, j = arrived[int(random.random() * survivors)]
            state = (i + j) * (i + j + 1) // 2 + j
            while 0 <= level[state] < wanted:
                i, j, _, _ = jump(i, j, limits, random.random())
                state = (i + j) * (i + j + 1) // 2 + j
                total += 1
            if level[state] >= wanted:
                reached[count] = i, j
                count += 1
        if not count:
            return -np.inf, total
        log_estimate += np.log(count / paths)
        arrived, reached, survivors = reached, arrived, count
    return log_estimate, total
