"""Proposals for the gambler: the win probability at every play and balance.

A proposal gives one row of win probabilities after another, play by play. Paths drawn with it are
weighted by the likelihood ratio of their plays, and `weights.relative_variance` tells the exact
variance of that estimator before a path is drawn. To add a proposal, derive a class with `rows`
and enter it in `methods.proposals`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np
from scipy.special import log_ndtr, softmax

from nicelab.importance.gambler import Gambler, log_weight

MEMORY = 1 << 29  # bytes of a table
CERTAIN = 1 - 1e-9  # the largest q of a tilt


class Proposal(ABC):
    """What the simulator needs to know, and what more a proposal may know about itself."""

    @abstractmethod
    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """Win probability by balance, (target + 1,), before play 1, 2, …, `plays`."""

    def log_weight(self, gambler: Gambler, t: np.ndarray) -> np.ndarray | None:
        """Log likelihood ratio of a path that hits at play t; None if its way matters too."""
        return None

    def constants(self) -> dict[str, float]:
        """What the metrics state of it."""
        return {}


@dataclass(frozen=True)
class Constant(Proposal):
    """The same win probability q at every play."""

    q: float

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """The row of q, again and again."""
        row = np.full(gambler.target + 1, self.q)
        for _ in range(gambler.plays):
            yield row

    def log_weight(self, gambler: Gambler, t: np.ndarray) -> np.ndarray:
        """Its wins and losses follow from t; all 0 if q = p."""
        return log_weight(gambler, self.q, t)

    def constants(self) -> dict[str, float]:
        """The q."""
        return {"q": self.q}


@dataclass(frozen=True)
class Table(Proposal):
    """Every row in one array, shape (plays, target + 1)."""

    q: np.ndarray

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """One after another."""
        yield from self.q


def tabulated(gambler: Gambler, proposal: Proposal) -> Proposal:
    """The same proposal, its rows computed once, if they fit into half a gigabyte."""
    shape = (gambler.plays, gambler.target + 1)
    if isinstance(proposal, Constant | Table) or 8 * shape[0] * shape[1] > MEMORY:
        return proposal
    table = np.empty(shape)
    for t, row in enumerate(proposal.rows(gambler)):
        table[t] = row
    return Table(table)


def siegmund(gambler: Gambler) -> Constant:
    """The conjugate walk, q = 1 − p: optimal among all q if there were no cap (Siegmund, 1976)."""
    return Constant(1 - gambler.p)


def large_deviation(gambler: Gambler) -> Constant:
    """The walk that climbs d = target − start in all T plays on average, q = (1 + d / T) / 2.

    The likeliest way to the target is straight (large deviations; Asmussen and Glynn, 2007,
    section VI.2), and no slower than with p or 1 − p, the likeliest walk without a cap.
    """
    straight = (1 + (gambler.target - gambler.start) / gambler.plays) / 2
    return Constant(min(max(straight, gambler.p, 1 - gambler.p), CERTAIN))


@dataclass(frozen=True)
class Mixture(Proposal):
    """A mixture over paths: each is played to its end with one of several constant q.

    With p among them, the weights are at most one over its share (defensive mixture; Hesterberg,
    1995; Owen and Zhou, 2000). Given a path's wins and losses the next play is won with

        Σ_j s_j q_j^(wins + 1) (1 − q_j)^losses / Σ_j s_j q_j^wins (1 − q_j)^losses,

    and both are known from play and balance, so the mixture is a proposal like the others.
    """

    shares: tuple[float, ...]
    q: tuple[float, ...]

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """The posterior mean of q."""
        q, gain = np.array(self.q), np.arange(gambler.target + 1) - gambler.start
        for t in range(gambler.plays):
            wins, losses = np.outer(t + gain, [0.5]), np.outer(t - gain, [0.5])
            evidence = np.log(self.shares) + wins * np.log(q) + losses * np.log1p(-q)
            yield softmax(evidence, 1) @ q

    def log_weight(self, gambler: Gambler, t: np.ndarray) -> np.ndarray:
        """Of 1 / Σ_j s_j / w_j, with the weight w_j that the path has under q_j alone."""
        under = [
            np.log(s) - log_weight(gambler, q, t) for s, q in zip(self.shares, self.q, strict=True)
        ]
        return -np.logaddexp.reduce(under)


@dataclass(frozen=True)
class Brownian(Proposal):
    """Doob's transform of the Brownian motion that has the walk's drift and variance.

    Its probability to climb by d within a time τ is, with drift μ = 2p − 1 and σ² = 4 p (1 − p),

        Φ((μ τ − d) / σ√τ) + exp(2 μ d / σ²) Φ((−μ τ − d) / σ√τ)

    (Borodin and Salminen, 2002, part II, equation 2.0.2). Ruin is not looked at.
    """

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """P h(d − 1) / (p h(d − 1) + (1 − p) h(d + 1)) with the time left after the play."""
        p = gambler.p
        climb = gambler.target - np.arange(-1, gambler.target + 2)
        for left in range(gambler.plays - 1, -1, -1):
            log_h = log_climb(climb, left, p)
            up, down = log_h[2:], log_h[:-2]
            with np.errstate(invalid="ignore"):
                odds = np.log1p(-p) - np.log(p) + down - up
            yield 1 / (1 + np.exp(np.where(np.isnan(odds), 0, odds).clip(-700, 700)))


def log_climb(climb: np.ndarray, left: int, p: float) -> np.ndarray:
    """Log of the Brownian probability to climb so many chips with so many plays left."""
    if not left:
        return np.where(climb <= 0, 0.0, -np.inf)
    mu, sigma = 2 * p - 1, 2 * np.sqrt(p * (1 - p))
    scale = sigma * np.sqrt(left)
    direct = log_ndtr((mu * left - climb) / scale)
    reflected = 2 * mu * climb / sigma**2 + log_ndtr((-mu * left - climb) / scale)
    return np.where(climb <= 0, 0.0, np.logaddexp(direct, reflected))


@dataclass(frozen=True)
class Doob(Proposal):
    """The game conditioned to reach the target: q = p h(t, x + 1) / h(t − 1, x).

    h(t, x) is the exact probability to reach the target from balance x after play t. Every path
    hits and has the weight I: the variance is zero (Doob, 1957).
    """

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """The exact transform; one half where the target is out of reach."""
        later = log_reach(gambler)
        before = next(later)
        for after in later:
            win = np.full(gambler.target + 1, 0.5)
            possible = np.isfinite(before[1:-1])
            log_win = np.log(gambler.p) + after[2:][possible] - before[1:-1][possible]
            win[1:-1][possible] = np.exp(np.minimum(log_win, 0))
            yield win
            before = after


def log_reach(gambler: Gambler) -> Iterator[np.ndarray]:
    """Log h after play 0, 1, …, `plays`: h is the probability to reach the target, (target + 1,).

    The recursion runs backwards. Rows are kept at √plays plays only and those between them are
    computed again, so the memory is 2 √plays rows instead of plays.
    """
    row = np.full(gambler.target + 1, -np.inf)
    row[-1] = 0
    stride = isqrt(gambler.plays) + 1
    kept = {gambler.plays: row}
    for t in range(gambler.plays - 1, -1, -1):
        row = _one_play_less(gambler, row)
        if t % stride == 0:
            kept[t] = row
    yield kept[0]
    for t in range(0, gambler.plays, stride):
        end = min(t + stride, gambler.plays)
        rows = [kept[end]]
        for _ in range(end - t - 1):
            rows.append(_one_play_less(gambler, rows[-1]))
        yield from reversed(rows)


def _one_play_less(gambler: Gambler, log_h: np.ndarray) -> np.ndarray:
    before = np.full_like(log_h, -np.inf)
    before[1:-1] = np.logaddexp(np.log(gambler.p) + log_h[2:], np.log1p(-gambler.p) + log_h[:-2])
    before[-1] = 0
    return before
