"""Exact answers for the tandem queue, by sparse linear equations over all its states.

With a kernel K over the states that are neither empty nor full, and b what a jump to N customers
is worth, u = K u + b is

    the probability h, for K = P and b = P 1;
    the second moment of the weight, for K = p² / q and b alike;
    the expected number of jumps, for K = Q and b = 1.

Probabilities go down to 10⁻⁴⁰⁰ and below, so u is solved for in units of e^(−γ (N − n)), or of the
square of that, in which it is of a moderate size wherever there are n customers.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import inf, log

import numpy as np
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import SuperLU, splu

from nicelab.errors import InputError
from nicelab.tandem.queue import ARRIVAL, CUSTOMERS, START, Queue

NO_VARIANCE = 1e-9  # relative variance below which only rounding is left
LEAF = 24  # states that are not dissected any more
ROWS = 1e-9  # by which the probabilities of a state may miss 1


@dataclass(frozen=True)
class Harmonic:
    """The exact probability to reach N customers before none, from every state.

    Args:
        scaled: h e^(γ (N − n)), (states,); 0 from the empty state.
        log: of h from (1, 0).
        residual: the largest |h − P h| / h of a state.
        jumps: expected number of jumps of a path from (1, 0).
        idle: expected number of jumps with nobody at the second server, of paths that reach N.
    """

    scaled: np.ndarray
    log: float
    residual: float
    jumps: float
    idle: float


@dataclass(frozen=True)
class Moments:
    """The exact law of the weighted path of a proposal, as far as its first two moments.

    Args:
        log_variance: of the relative variance V of one path; −∞ where it is 0, ∞ where infinite.
        jumps: expected number of jumps of a path.
        idle: expected number of jumps with nobody at the second server, of paths that reach N,
            each counted with the square of its weight; infinite where V is.
    """

    log_variance: float
    jumps: float
    idle: float


@lru_cache(maxsize=4)
def harmonic(queue: Queue) -> Harmonic:
    """The exact probability; its cost is that of one sparse factorisation."""
    system = _System(queue, queue.jumps(), queue.decay)
    h = system.solve(system.full)
    inside = h[1:]
    residual = np.abs(inside - system.applied(h)[1:]) / inside
    h.flags.writeable = False
    from_start = log(h[START]) - queue.decay * (queue.size - 1)
    visits = system.visits() * np.exp(queue.decay * (1 - np.add(*queue.states())))
    return Harmonic(h, from_start, float(residual.max()), float(visits.sum()), system.idle(h))


def moments(queue: Queue, q: np.ndarray, name: str) -> Moments:
    """What is known of the weights of a proposal before a path is drawn.

    The second moment is the least solution of m = K m + b with K = p² / q, which is finite if and
    only if the spectral radius of K is below 1; and that is so if and only if the solution of
    u = K u + 1 is positive in every state (I − K is then a nonsingular M-matrix; Berman and
    Plemmons, 1994, chapter 6, theorem 2.3). Without this test the linear equations
    would answer with a number that no estimate tends to.

    Args:
        queue: the problem.
        q: probabilities of each kind of jump, (states, 3).
        name: what a message calls the proposal.

    Raises:
        InputError: q are no probabilities, or the estimator is biased.
    """
    p, h = queue.jumps(), harmonic(queue)
    require_unbiased(queue, q, name)
    if np.array_equal(p, q):
        return Moments(log(-np.expm1(h.log)) - h.log, h.jumps, h.idle)
    expected = float(_System(queue, q, 0.0).solve(np.ones(queue.number))[START])
    square = _System(queue, np.divide(p**2, q, out=np.zeros_like(q), where=q > 0), 2 * queue.decay)
    if not square.convergent():
        return Moments(inf, expected, inf)
    m = square.solve(square.full)
    if not np.isfinite(m).all():
        raise InputError(
            f"proposal {name}: its second moment at N = {queue.size} exceeds the largest number: "
            f"lower tandem.sizes"
        )
    variance = m[START] / h.scaled[START] ** 2 - 1
    log_variance = log(variance) if variance > NO_VARIANCE else -inf
    return Moments(log_variance, expected, square.idle(m))


def require_unbiased(queue: Queue, q: np.ndarray, name: str) -> None:
    """Whether q are probabilities, and possible wherever a path that reaches N may go.

    Raises:
        InputError: they are not.
    """
    needed = queue.possible() & (queue.next() > 0)
    needed[0] = False
    if q.shape != needed.shape:
        raise InputError(
            f"proposal {name} must be probabilities of shape {needed.shape}, got {q.shape}"
        )
    wrong = ~(np.abs(q.sum(1) - 1) < ROWS) | ~(q >= 0).all(1) | (q[~queue.possible()] != 0).any()
    biased = (needed & ~(q > 0)).any(1)
    for fault, what in ((wrong, "no probabilities"), (biased, "0 where a path may reach N")):
        if fault[1:].any():
            k = 1 + int(np.argmax(fault[1:]))
            i, j = (int(x[k]) for x in queue.states())
            raise InputError(
                f"proposal {name} has {what}: got {q[k].tolist()} with {i} customers at the "
                f"first and {j} at the second server"
            )


@lru_cache(maxsize=16)
def order(size: int) -> np.ndarray:
    """An order of the states that keeps the factors sparse: nested dissection (George, 1973).

    A line of states across the widest part comes after the two parts that it separates, so there
    are O(N² log N) entries to fill in, and O(N³) operations.
    """
    n = np.repeat(np.arange(size), np.arange(1, size + 1))
    j = np.arange(len(n)) - n * (n + 1) // 2
    return np.concatenate(_dissected(np.arange(len(n)), np.stack([n - j, j, n])))


def _dissected(some: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
    """Some states in parts, in order; lines are across i, j or i + j."""
    if len(some) <= LEAF:
        return [some]
    here = places[:, some]
    across = here[np.argmax(np.ptp(here, axis=1))]
    middle = int(np.median(across))
    parts = [_dissected(some[side], places) for side in (across < middle, across > middle)]
    return [*parts[0], *parts[1], some[across == middle]]


class _System:
    """The equations u = K u + b for u in units of e^(−c (N − n))."""

    def __init__(self, queue: Queue, factors: np.ndarray, c: float) -> None:
        self.queue, self.after = queue, queue.next()
        factors = factors * np.exp(c * CUSTOMERS)
        states, rows = queue.number, np.arange(queue.number)[:, None]
        inside = (factors > 0) & (rows > 0) & (self.after > 0) & (self.after < states)
        self.kernel = np.where(inside, factors, 0.0)  # by kind of jump, (states, 3)
        full = self.after[:, ARRIVAL] >= states
        self.full = np.where(full, factors[:, ARRIVAL], 0.0)
        self._factors: SuperLU | None = None

    def applied(self, u: np.ndarray) -> np.ndarray:
        """K u + b, where b is what a jump to N customers is worth."""
        after = np.minimum(self.after, self.queue.number - 1)  # those beyond have a factor of 0
        return (self.kernel * u[after]).sum(1) + self.full

    def solve(self, b: np.ndarray, *, transposed: bool = False) -> np.ndarray:
        """The u = K u + b, or of the transposed K; 0 in the empty state."""
        rows = order(self.queue.size)
        if self._factors is None:
            self._factors = self._factorised(rows)
        given, found = b.copy(), np.empty(len(b))
        given[0] = 0
        found[rows] = self._factors.solve(given[rows], "T" if transposed else "N")
        return found

    def _factorised(self, rows: np.ndarray) -> SuperLU:
        """Of 1 − K with its states in this order, and pivots on the diagonal."""
        place = np.empty_like(rows)
        place[rows] = np.arange(len(rows))
        state, kind = np.nonzero(self.kernel)
        entries = -self.kernel[state, kind], (place[state], place[self.after[state, kind]])
        shape = len(rows), len(rows)
        return splu(
            identity(len(rows), format="csc") + csc_matrix(entries, shape=shape),
            permc_spec="NATURAL",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def convergent(self) -> bool:
        """Whether the spectral radius of K is below 1."""
        try:
            return bool((self.solve(np.ones(self.queue.number))[1:] > 0).all())
        except RuntimeError:  # a pivot is 0
            return False

    def visits(self) -> np.ndarray:
        """Expected number of visits from (1, 0) under K, (states,)."""
        start = np.zeros(self.queue.number)
        start[START] = 1
        return self.solve(start, transposed=True)

    def idle(self, u: np.ndarray) -> float:
        """Expected number of visits to states without anybody at the second server.

        Of the paths from (1, 0) to N, with the measure that K gives them; u is their total.
        """
        there = self.queue.states()[1] == 0
        return float((self.visits() * u)[there].sum() / u[START])
