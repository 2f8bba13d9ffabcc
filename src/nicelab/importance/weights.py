"""Exact moments of the weights of a proposal, and which proposals cannot be used.

A weighted path estimates the probability I without bias if and only if every play that can still
lead to the target has a chance under the proposal. Both moments come from one recursion over plays
and balance, so no proposal has to be trusted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from nicelab.errors import InputError
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.proposals import Proposal

ROUNDING = 1e-6  # of I, within which the mean of the weights is I


@dataclass(frozen=True)
class Weights:
    """The law of w·1{hit} of one path under q, in units of the exact probability I.

    Args:
        mean: E_q[w 1{hit}] / I: 1, or less where paths that hit cannot be drawn.
        relative_variance: E_q[w² 1{hit}] / I² − 1.
        plays: expected number of plays of a path.
        missed: play, balance and q of the first play that makes such a path impossible.
    """

    mean: float
    relative_variance: float
    plays: float
    missed: tuple[int, int, float] | None


def relative_variance(gambler: Gambler, proposal: Proposal) -> float:
    """Exact relative variance of one weighted path.

    Args:
        gambler: the problem.
        proposal: q by play and balance.

    Raises:
        InputError: the proposal is biased, or its rows are no win probabilities.
    """
    return require_unbiased(gambler, proposal).relative_variance


def require_unbiased(gambler: Gambler, proposal: Proposal, name: str = "") -> Weights:
    """The weights of a proposal, if their mean is the probability that they shall estimate.

    Args:
        gambler: the problem.
        proposal: q by play and balance.
        name: what a message calls it; by default its class.

    Raises:
        InputError: the mean is another, or its rows are no win probabilities.
    """
    name = name or type(proposal).__name__
    found = weights(gambler, proposal, name)
    if abs(found.mean - 1) > ROUNDING:
        play, balance, q = found.missed or (0, 0, np.nan)
        raise InputError(
            f"proposal {name} is biased: its mean is {found.mean:.6g} of the exact probability; "
            f"q must be > 0 and < 1 where the target can be reached either way, got {q:g} "
            f"at play {play}, balance {balance}"
        )
    return found


def weights(gambler: Gambler, proposal: Proposal, name: str) -> Weights:
    """The exact moments of the weights.

    With m_t(x) = E_q[w_t² 1{still playing at x after play t}],

        m_{t+1}(x ± 1) += m_t(x) · (p² / q or (1 − p)² / (1 − q)),

    summed where it arrives at the target; in logarithms, since weights far from the likely paths
    are astronomic. For the mean the factors are p and 1 − p, where q lets the path go there, and
    for the number of plays q and 1 − q: a play is made if the game still goes on.
    """
    here = np.full((3, gambler.target + 1), -np.inf)
    here[:, gambler.start] = 0
    total, plays, missed = np.full(3, -np.inf), 0.0, None
    for t, q in enumerate(_rows(gambler, proposal, name)):
        alive = within_reach(gambler, gambler.plays - t)
        missed = missed or _missed(here[0], t, q, within_reach(gambler, gambler.plays - t - 1))
        plays += float(np.exp(here[2, alive]).sum())
        up = here[:, alive] + _factors(gambler.p, q[alive])
        down = here[:, alive] + _factors(1 - gambler.p, 1 - q[alive])
        here = np.full_like(here, -np.inf)
        here[:, alive.start + 1 : alive.stop + 1] = up
        lower = slice(alive.start - 1, alive.stop - 1)
        here[:, lower] = np.logaddexp(here[:, lower], down)
        total = np.logaddexp(total, here[:, -1])
        here[:, [0, -1]] = -np.inf
    mean, square = total[:2] - np.array([1, 2]) * np.log(outcome(gambler).probability)
    with np.errstate(over="ignore"):
        return Weights(float(np.exp(mean)), float(np.expm1(square)), plays, missed)


def _factors(p: float, q: np.ndarray) -> np.ndarray:
    """Logarithms of p, p² / q and q for plays of probability p that are drawn with q, (3, n)."""
    with np.errstate(divide="ignore"):
        log_q = np.log(q)
    log_p = np.full_like(q, np.log(p))
    return np.where(q > 0, [log_p, 2 * log_p - log_q, log_q], -np.inf)


def _missed(
    log_here: np.ndarray, t: int, q: np.ndarray, after: slice
) -> tuple[int, int, float] | None:
    """The lowest balance from which paths that may hit after play t + 1 are never drawn."""
    balances = np.arange(1, len(q) - 1)
    loses = (balances - 1 >= after.start) & (q[1:-1] >= 1)
    wins = (balances + 1 >= after.start) & (q[1:-1] <= 0)
    found = balances[np.isfinite(log_here[1:-1]) & (loses | wins)]
    return (t + 1, int(found[0]), float(q[found[0]])) if found.size else None


def _rows(gambler: Gambler, proposal: Proposal, name: str) -> Iterator[np.ndarray]:
    """The rows of a proposal, one for each play, if all are win probabilities."""
    plays = 0
    for plays, row in enumerate(islice(proposal.rows(gambler), gambler.plays + 1), 1):
        q = np.asarray(row)
        if q.shape != (gambler.target + 1,):
            found = f"the shape {q.shape}"
        elif not np.all((q >= 0) & (q <= 1)):
            found = f"{q[~((q >= 0) & (q <= 1))][0]:g}"
        else:
            yield q
            continue
        raise InputError(
            f"proposal {name}: row {plays} must be {gambler.target + 1} probabilities in [0, 1], "
            f"of balances 0 to {gambler.target}, got {found}"
        )
    if plays != gambler.plays:
        many = plays if plays < gambler.plays else f"more than {gambler.plays}"
        raise InputError(f"proposal {name} must have {gambler.plays} rows, one a play, got {many}")


def within_reach(gambler: Gambler, left: int) -> slice:
    """Balances from which the game goes on and `left` plays can still reach the target."""
    return slice(max(1, gambler.target - left), gambler.target)
