"""Proposals learned from samples alone, by the cross-entropy method (Rubinstein and Kroese, 2004).

In a family of proposals the one nearest to the game conditioned to reach the target, in
Kullback–Leibler divergence, maximises

    Σ_i w_i 1{i hits} Σ_t log P_q(play t of path i).

At first no path hits. So the target is raised step by step, to a level that a tenth of the paths
reach with the proposal learned so far. To add a family, write a function like `constant`.

Given where a path is, the proposal q₀ that plays it says how likely a win is; only the weight says
that it should be likelier. So the wins of the likelihood, Σ w W over plays with outcome W, are
counted as

    Σ w q₀ + Σ (w − w̄) (W − q₀),

all paths included: what was left out, w̄ Σ (W − q₀), has mean zero and is a control variate (Glynn
and Szechtman, 2002). The nearer the proposal is to the one that is sought, the less the weights
vary, and the less noise is left.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.optimize import minimize
from scipy.special import expit

from nicelab.errors import InputError
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.proposals import Constant, Proposal
from nicelab.importance.simulation import Games
from nicelab.pipeline.params import Section

ELITE = 0.1  # share of the paths that reaches the next level
RECORDED = 20_000_000  # plays kept in memory at most
SMOOTHING = 120  # windows into which the plays are divided when each has its own q
LIKE_ALL = 300  # games with the q of all plays that are added to those of each
MARGIN = 1e-3  # a learned q stays this far from 0 and 1
PRIOR = 1.0  # standard deviation of a regression's coefficients before anything is learned


class CrossEntropy(Section):
    """Paths of a round, and rounds at the target itself."""

    paths: Annotated[int, Field(ge=100)]
    rounds: Annotated[int, Field(ge=1, le=100)]


@dataclass(frozen=True)
class Cells:
    """Weighted games and wins by play and balance, where paths came by; shape (cells,) each.

    Args:
        play: number of plays before.
        balance: before the play.
        games: Σ w over the paths.
        wins: Σ w q₀ + Σ (w − w̄) (W − q₀) over them, which may lie outside of 0 to `games`.
    """

    play: np.ndarray
    balance: np.ndarray
    games: np.ndarray
    wins: np.ndarray

    def by_play(self, plays: int) -> tuple[np.ndarray, np.ndarray]:
        """Games and wins at each play, shape (plays,) each."""
        games, wins = (np.bincount(self.play, x, plays) for x in (self.games, self.wins))
        return games, wins


@dataclass(frozen=True)
class Elite:
    """Paths and their weights, 0 where they do not hit.

    Args:
        steps: +1, −1 or, after the end, 0; int8, shape (plays, paths).
        weight: w·1{hit}, at most 1 after scaling, shape (paths,).
        gambler: the game, whose target is the level.
        proposal: that played them.
    """

    steps: np.ndarray
    weight: np.ndarray
    gambler: Gambler
    proposal: Proposal

    def cells(self) -> Cells:
        """What the likelihood of any family needs to know."""
        balances = self.gambler.target + 1
        beyond = self.weight - self.weight.mean()
        balance = np.full(len(self.weight), self.gambler.start)
        found = []
        for t, (step, q) in enumerate(
            zip(self.steps, self.proposal.rows(self.gambler), strict=True)
        ):
            on = np.flatnonzero(step)
            x = balance[on]
            games = np.bincount(x, self.weight[on], balances)
            excess = np.bincount(x, beyond[on] * ((step[on] > 0) - q[x]), balances)
            here = np.flatnonzero(np.bincount(x, minlength=balances))
            wins = q[here] * games[here] + excess[here]
            found.append((np.full(len(here), t), here, games[here], wins))
            balance += step
        return Cells(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def plays(self) -> float:
        """Plays of so many paths of equal weight as are as good (Kish, 1965)."""
        weight = self.weight
        return float(weight @ np.count_nonzero(self.steps, 0)) * weight.sum() / (weight @ weight)

    def always_wins(self) -> bool:
        """Whether no path that hits ever lost a play."""
        return not (self.steps[:, self.weight > 0] < 0).any()


@dataclass(frozen=True)
class Learned:
    """A proposal, and the number of plays in all games from which it was learned."""

    proposal: Proposal
    plays: int


Family = Callable[[Elite], Proposal]


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


def learn(
    gambler: Gambler,
    family: Family,
    config: CrossEntropy,
    draws: Draws,
    first: Learned | None = None,
) -> Learned:
    """Raise the target level by level, then learn at the target itself.

    Args:
        gambler: the problem.
        family: from which the proposal comes.
        config: the constants.
        draws: the random numbers.
        first: where to begin, whose plays count too; the game itself by default.

    Raises:
        InputError: no path reached the next level.
    """
    learned = first or Learned(Constant(gambler.p), 0)
    paths = min(config.paths, max(100, RECORDED // gambler.plays))
    level, number, rounds = gambler.start, 0, 0
    while rounds < config.rounds:
        pilot = Games(gambler, paths)
        top = _top(pilot, learned.proposal, draws.named("pilot").stream(number))
        level = int(min(gambler.target, max(level + 1, np.quantile(top, 1 - ELITE))))
        rounds += level == gambler.target
        games = Games(gambler.model_copy(update={"target": level}), paths)
        elite = _elite(games, learned.proposal, draws.named("elite").stream(number))
        if not elite.weight.any():
            raise InputError(
                f"none of {paths} paths reached {level} on the way to {gambler.target}: raise "
                f"importance.cross_entropy.paths"
            )
        plays = learned.plays + int(pilot.plays.sum() + games.plays.sum())
        learned = Learned(family(elite), plays)
        number += 1
    return learned


def _top(games: Games, proposal: Proposal, random: np.random.Generator) -> np.ndarray:
    """The highest balance of each path, shape (paths,)."""
    top = games.chips.copy()
    for stretch in games.play(proposal, random):
        top[stretch.games] = np.maximum(top[stretch.games], stretch.chips.max(0))
    return top


def _elite(games: Games, proposal: Proposal, random: np.random.Generator) -> Elite:
    """All steps of the paths, and the weights of those that hit."""
    steps = np.zeros((games.gambler.plays, len(games.chips)), np.int8)
    for stretch in games.play(proposal, random):
        plays = stretch.first + np.arange(len(stretch.chips) - 1)
        steps[np.ix_(plays, stretch.games)] = np.diff(stretch.chips, axis=0)
    ended = games.paths()
    largest = ended.log_weight[ended.hit].max(initial=-np.inf)
    weight = np.where(ended.hit, np.exp(ended.log_weight - largest), 0.0)
    return Elite(steps, weight, games.gambler, proposal)
