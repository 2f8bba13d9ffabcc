"""Families of proposals that can be learned from weighted paths (`cross_entropy.py`).

Each finds the proposal of its kind under which the paths that hit are likeliest. To add a family,
write a function like `constant`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from nicelab.importance.cross_entropy import Elite
from nicelab.importance.gambler import Gambler
from nicelab.importance.proposals import Constant, Proposal

SMOOTHING = 120  # windows into which the plays are divided when each has its own q
LIKE_ALL = 300  # games with the q of all plays that are added to those of each
MARGIN = 1e-3  # a learned q stays this far from 0 and 1
PRIOR = 1.0  # standard deviation of a regression's coefficients before anything is learned


def constant(elite: Elite) -> Proposal:
    """The same q at every play: the share of weighted wins."""
    cells = elite.cells()
    q = cells.wins.sum() / cells.games.sum()
    return Constant(float(q.clip(MARGIN, 1 - MARGIN)))


@dataclass(frozen=True)
class Timed(Proposal):
    """A win probability for each play, shape (plays,)."""

    q: np.ndarray

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """The same row for all balances."""
        for q in self.q:
            yield np.full(gambler.target + 1, q)


def timed(elite: Elite) -> Proposal:
    """A q for each play: the share of weighted wins near it, and of some games like all others."""
    games, wins = elite.cells().by_play(elite.gambler.plays)
    window = np.ones(2 * (len(wins) // SMOOTHING) + 1)
    near_games, near_wins = (np.convolve(x, window, "same") for x in (games, wins))
    like_all = LIKE_ALL * games.sum() / elite.plays()
    q = (near_wins + like_all * wins.sum() / games.sum()) / (near_games + like_all)
    return Timed(q.clip(MARGIN, 1 - MARGIN))


@dataclass(frozen=True)
class Logistic(Proposal):
    """A logistic regression on what a path still needs: its coefficients, shape (9,)."""

    coefficients: np.ndarray

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """The regression's probability at every balance."""
        climb = gambler.target - np.arange(gambler.target + 1)
        for left in range(gambler.plays, 0, -1):
            q = expit(features(climb, np.full_like(climb, left)) @ self.coefficients)
            yield q.clip(MARGIN, 1 - MARGIN)


def features(climb: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Functions of the chips to climb and the plays left, (n,) each; shape (n, 9).

    One; the mean gain that is needed, as log-odds; how much of it chance would give; and how near
    the target is on the scale of chance.
    """
    need = np.arctanh(np.clip(climb / left, 0, 1 - MARGIN))
    chance = 1 / np.sqrt(left)
    near = climb * chance
    bell = np.exp(-(near**2) / 2)
    one = np.ones_like(chance)
    of_need = one, need, np.tanh(need) ** 2, chance, chance**2, need * chance
    return np.stack([*of_need, np.exp(-near), bell, chance * bell], -1)


def logistic(elite: Elite) -> Proposal:
    """The family of `Logistic`; a constant where every play must be won, which tells nothing."""
    if elite.always_wins():
        return constant(elite)
    cells = elite.cells()
    x = features(elite.gambler.target - cells.balance, elite.gambler.plays - cells.play)
    games, wins = (y / cells.games.sum() for y in (cells.games, cells.wins))
    ridge = 1 / (PRIOR**2 * elite.plays())

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        logit = x @ beta
        value = games @ np.logaddexp(0, logit) - wins @ logit + ridge / 2 * beta @ beta
        return value, x.T @ (games * expit(logit) - wins) + ridge * beta

    def hessian(beta: np.ndarray) -> np.ndarray:
        q = expit(x @ beta)
        return (x.T * (games * q * (1 - q))) @ x + ridge * np.eye(len(beta))

    near = {"jac": True, "hess": hessian, "method": "trust-exact", "options": {"gtol": 1e-9}}
    return Logistic(minimize(loss, np.zeros(x.shape[1]), **near).x)
