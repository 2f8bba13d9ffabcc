"""Proposals learned from samples alone, by the cross-entropy method (Rubinstein and Kroese, 2004).

In a family of proposals the one nearest to the game conditioned to reach the target, in
Kullback–Leibler divergence, maximises

    Σ_i w_i 1{i hits} Σ_t log P_q(play t of path i).

At first no path hits. So the target is raised step by step, to a level that a tenth of the paths
reach with the proposal learned so far. To add a family, write a function like `constant`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from sklearn.linear_model import LogisticRegression

from nicelab.errors import InputError
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.proposals import Constant, Proposal
from nicelab.importance.simulation import Games
from nicelab.pipeline.params import Section

ELITE = 0.1  # share of the paths that reaches the next level
RECORDED = 20_000_000  # plays kept in memory at most
SMOOTHING = 120  # windows into which the plays are divided when each has its own q
MARGIN = 1e-3  # a learned q stays this far from 0 and 1


class CrossEntropy(Section):
    """Paths of a round, rounds at the target itself, and plays that a regression looks at."""

    paths: Annotated[int, Field(ge=100)]
    rounds: Annotated[int, Field(ge=1, le=100)]
    plays: Annotated[int, Field(ge=1000)]


@dataclass(frozen=True)
class Elite:
    """The paths that hit, of shape (paths,): plays before and after, and weights.

    Args:
        steps: +1, −1 or, after the end, 0; int8, shape (plays, paths).
        weight: w, at most 1 after scaling, shape (paths,).
        gambler: the game, whose target is the level.
    """

    steps: np.ndarray
    weight: np.ndarray
    gambler: Gambler

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Weighted wins and weighted games at each play, shape (plays,) each."""
        return (self.steps > 0) @ self.weight, (self.steps != 0) @ self.weight


@dataclass(frozen=True)
class Learned:
    """A proposal, and the number of plays in all games from which it was learned."""

    proposal: Proposal
    plays: int


Family = Callable[[Elite, np.random.Generator], Proposal]


def constant(elite: Elite, random: np.random.Generator) -> Proposal:
    """The same q at every play: the share of weighted wins."""
    wins, games = elite.counts()
    q = wins.sum() / games.sum()
    return Constant(float(q.clip(MARGIN, 1 - MARGIN)))


@dataclass(frozen=True)
class Timed(Proposal):
    """A win probability for each play, shape (plays,)."""

    q: np.ndarray

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """The same row for all balances."""
        for q in self.q:
            yield np.full(gambler.target + 1, q)


def timed(elite: Elite, random: np.random.Generator) -> Proposal:
    """A q for each play: the share of weighted wins among its neighbours, or among all."""
    wins, games = elite.counts()
    window = np.ones(2 * (len(wins) // SMOOTHING) + 1)
    near_wins, near_games = (np.convolve(x, window, "same") for x in (wins, games))
    q = np.full(len(wins), wins.sum() / games.sum())
    np.divide(near_wins, near_games, out=q, where=near_games > 0)
    return Timed(q.clip(MARGIN, 1 - MARGIN))


@dataclass(frozen=True)
class Logistic(Proposal):
    """A logistic regression on what a path still needs."""

    model: LogisticRegression

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """The regression's probability at every balance."""
        climb = gambler.target - np.arange(gambler.target + 1)
        for left in range(gambler.plays, 0, -1):
            q = self.model.predict_proba(features(climb, np.full_like(climb, left)))[:, 1]
            yield q.clip(MARGIN, 1 - MARGIN)


def features(climb: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Functions of the chips to climb and the plays left, (n,) each; shape (n, 8).

    The mean gain that is needed, as log-odds; how much of it chance would give; and how near the
    target is on the scale of chance.
    """
    need = np.arctanh(np.clip(climb / left, 0, 1 - MARGIN))
    chance = 1 / np.sqrt(left)
    near = climb * chance
    bell = np.exp(-(near**2) / 2)
    of_need = need, np.tanh(need) ** 2, chance, chance**2, need * chance
    return np.stack([*of_need, np.exp(-near), bell, chance * bell], -1)


def logistic(plays: int) -> Family:
    """The family of `Logistic`, fitted to so many plays, drawn from those of the elite."""

    def fit(elite: Elite, random: np.random.Generator) -> Proposal:
        t, path = np.nonzero((elite.steps != 0) & (elite.weight > 0))
        if len(t) > plays:
            chosen = random.choice(len(t), plays, replace=False)
            t, path = t[chosen], path[chosen]
        game, step = elite.gambler, elite.steps
        before = game.start + step.cumsum(0, dtype=np.int32) - step
        weight, won = elite.weight[path], step[t, path] > 0
        if won.all():  # nothing to tell apart: the target is so far that every play must be won
            return constant(elite, random)
        model = LogisticRegression(C=1e5, max_iter=2000)
        x = features(game.target - before[t, path], game.plays - t)
        model.fit(x, won, sample_weight=weight / weight.mean())
        return Logistic(model)

    return fit


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
        learned = Learned(family(elite, draws.named("fit").stream(number)), plays)
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
    return Elite(steps, weight, games.gambler)
