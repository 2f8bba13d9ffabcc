"""The gambler's exact answers, by dynamic programming over plays and balance (problem 5).

A gambler starts with some chips, wins or loses one a play, and stops at 0, at a target, or
after a number of plays. I is the probability to reach the target.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from nicelab.pipeline.params import Section


def _as_number(value: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
    """A fraction such as 18/37 as a number; anything else as it is."""
    try:
        return float(Fraction(value)) if isinstance(value, str) else value
    except (ValueError, ZeroDivisionError):
        return value


Number = Annotated[float, BeforeValidator(_as_number)]
Probability = Annotated[Number, Field(gt=0, lt=1)]


class Game(Section):
    """The constants of any game, those included where nothing is left to chance."""

    start: Annotated[int, Field(ge=0)]
    target: Annotated[int, Field(ge=0, le=10_000)]
    plays: Annotated[int, Field(ge=0, le=100_000)]
    p: Annotated[Number, Field(ge=0, le=1)]

    def certain(self) -> int | None:
        """The probability to reach the target, where that is 0 or 1 whatever the chips do."""
        if self.start >= self.target:
            return 1
        if self.start == 0 or self.p == 0 or self.plays < self.target - self.start:
            return 0
        return 1 if self.p == 1 else None


class Gambler(Game):
    """The constants of the problem."""

    @model_validator(mode="after")
    def _open(self) -> Self:
        if (exact := self.certain()) is not None:
            raise ValueError(
                f"the target is reached with probability {exact}, exactly, and nothing is left to "
                "estimate; what is needed is 0 < start < target <= start + plays and 0 < p < 1, "
                f"got start {self.start}, target {self.target}, plays {self.plays}, p {self.p:g}"
            )
        return self


@dataclass(frozen=True)
class Outcome:
    """Exact law of the end of the game.

    `hit[t]` is the probability that the target is reached at play t, shape (plays + 1,);
    `ruin` and `undecided` are the probabilities of the other two ends.
    """

    hit: np.ndarray
    ruin: float
    undecided: float

    @property
    def probability(self) -> float:
        """I, the probability that the target is reached."""
        return float(self.hit.sum())

    @property
    def times(self) -> np.ndarray:
        """Numbers of plays after which the target may be reached."""
        return np.flatnonzero(self.hit)


@lru_cache(maxsize=16)
def outcome(gambler: Gambler) -> Outcome:
    """The law of the end of the game, in float64; plays × target operations."""
    balance = np.zeros(gambler.target + 1)  # probability of each balance now
    balance[gambler.start] = 1
    hit, ruin = np.zeros(gambler.plays + 1), 0.0
    for t in range(1, gambler.plays + 1):
        after = np.zeros_like(balance)
        after[2:] += gambler.p * balance[1:-1]
        after[:-2] += (1 - gambler.p) * balance[1:-1]
        hit[t] = after[-1]
        ruin += after[0]
        after[[0, -1]] = 0
        balance = after
    hit.flags.writeable = False
    return Outcome(hit, float(ruin), float(balance.sum()))


def log_weight(
    gambler: Gambler, q: float | np.ndarray, t: np.ndarray, share: float = 0.0
) -> np.ndarray:
    """Log likelihood ratio of a path that reaches the target at play t when played with q.

    Such a path wins (t + d) / 2 and loses (t − d) / 2 plays, d = target − start, whatever way
    it takes. In a defensive mixture, where a share s of the paths is played with p, the ratio is
    1 / (s + (1 − s) / w).
    """
    d = gambler.target - gambler.start
    wins, losses = (t + d) / 2, (t - d) / 2
    log_w = wins * np.log(gambler.p / q) + losses * np.log((1 - gambler.p) / (1 - q))
    return -np.logaddexp(np.log(share), np.log1p(-share) - log_w) if share else log_w


def log_second_moment(gambler: Gambler, q: float | np.ndarray, share: float = 0.0) -> np.ndarray:
    """Log of E_q[w² 1{hit}] / I² of one path when played with q, of the shape of q.

    E_q[w² 1{hit}] = Σ_t P(T = t, hit) w(t), so the law under p is enough for every q.
    """
    hit = outcome(gambler).hit
    t = np.flatnonzero(hit)
    log_law = np.log(hit[t]) - 2 * np.log(hit.sum())
    return logsumexp(log_law + log_weight(gambler, np.asarray(q)[..., None], t, share), -1)


def relative_deviation(gambler: Gambler, q: float | np.ndarray, share: float = 0.0) -> np.ndarray:
    """Exact relative standard deviation of one weighted path when played with q.

    Args:
        gambler: the problem.
        q: win probabilities of the proposal, in (0, 1), any shape.
        share: of the paths that are played with p instead.

    Returns:
        √(E_q[w² 1{hit}] − I²) / I, of the same shape; infinite where it exceeds float64.
    """
    with np.errstate(over="ignore"):
        return np.sqrt(np.maximum(np.expm1(log_second_moment(gambler, q, share)), 0))


def optimal_q(gambler: Gambler) -> float:
    """The win probability whose estimator has the least variance among all constant ones."""
    bounds = (1e-6, 1 - 1e-6)
    found = minimize_scalar(
        lambda q: float(log_second_moment(gambler, q)), bounds=bounds, method="bounded"
    )
    return float(found.x)
