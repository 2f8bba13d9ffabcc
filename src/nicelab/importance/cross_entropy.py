"""Proposals learned from samples alone, by the cross-entropy method (Rubinstein and Kroese, 2004).

In a family of proposals the one nearest to the game conditioned to reach the target, in
Kullback–Leibler divergence, maximises

    Σ_i w_i 1{i hits} Σ_t log P_q(play t of path i).

At first no path hits. So the target is raised step by step, to a level that a tenth of the paths
reach with the proposal learned so far. The families are in `learned.py`.

Given where a path is, the proposal q₀ that plays it says how likely a win is; only the weight says
that it should be likelier. So the wins of the likelihood, Σ w W over plays with outcome W, are
counted as

    Σ w q₀ + Σ (w − w̄) (W − q₀),

all paths included: what was left out, w̄ Σ (W − q₀), has mean zero and is a control variate (Glynn
and Szechtman, 2002). The nearer the proposal is to the one that is sought, the less the weights
vary, and the less noise is left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nicelab.errors import InputError
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.proposals import Constant, Proposal
from nicelab.importance.simulation import Games
from nicelab.pipeline.params import Section

ELITE = 0.1  # share of the paths that reaches the next level
RECORDED = 20_000_000  # plays kept in memory at most


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
