"""Two queues in tandem: customers arrive, are served at the first server, then at the second.

Only jumps are looked at (the embedded chain of the two-node Jackson network): from i customers at
the first server and j at the second, an arrival, a service at the first or one at the second come
next with probabilities proportional to λ, μ₁ if i > 0, and μ₂ if j > 0. A server that has nobody
to serve makes no jump. The event is that i + j reaches N before it reaches 0, from (1, 0).
"""

from dataclasses import dataclass
from math import log

import numpy as np

from nicelab.tandem.config import Rates

START = 1  # the index of (1, 0)
ARRIVAL, FIRST, SECOND = range(3)  # kinds of jumps
CUSTOMERS = np.array([1, 0, -1])  # that a jump adds


@dataclass(frozen=True)
class Queue:
    """The rates λ, μ₁ and μ₂, and the number N of customers at which a path ends.

    States with fewer customers are ordered by their number n = i + j, then by j: the index of
    (i, j) is n (n + 1) / 2 + j. Those with N come after them.
    """

    rates: Rates
    size: int

    @property
    def number(self) -> int:
        """Of states with fewer than N customers, the empty one too."""
        return self.size * (self.size + 1) // 2

    @property
    def decay(self) -> float:
        """γ = log(min(μ₁, μ₂) / λ): −log of the probability grows as γ N."""
        return log(min(self.rates.first, self.rates.second) / self.rates.arrival)

    def states(self, *, end: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Customers i at the first and j at the second server, int64, shape (states,) each.

        Args:
            end: whether those with N customers are among the states.
        """
        many = np.arange(self.size + end)
        n = np.repeat(many, many + 1)
        j = np.arange(len(n)) - n * (n + 1) // 2
        return n - j, j

    def next(self) -> np.ndarray:
        """Index of the state after each kind of jump, int64, (states, 3); its own if none is."""
        i, j = self.states()
        after = ((i + 1, j), (i - 1, j + 1), (i, j - 1))
        found = np.stack([(a + b) * (a + b + 1) // 2 + b for a, b in after], 1)
        return np.where(self.possible(), found, np.arange(self.number)[:, None])

    def possible(self) -> np.ndarray:
        """Which kinds of jumps there are, bool, shape (states, 3)."""
        i, j = self.states()
        return np.stack([np.full(self.number, True), i > 0, j > 0], 1)

    def jumps(self) -> np.ndarray:
        """Probability of each kind of jump, float64, shape (states, 3)."""
        return chances(self, np.array([self.rates.arrival, self.rates.first, self.rates.second]))


def chances(queue: Queue, weights: np.ndarray) -> np.ndarray:
    """Probabilities proportional to weights, among the jumps that there are.

    Args:
        queue: the problem.
        weights: positive, broadcast to (states, 3).
    """
    found = np.where(queue.possible(), weights, 0.0)
    return found / found.sum(1, keepdims=True)
