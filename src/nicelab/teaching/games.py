"""The gambler with win probabilities of one's own (problem 5)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nicelab.errors import InputError
from nicelab.formatting import number
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, Game, outcome
from nicelab.importance.judgement import NO_VARIANCE
from nicelab.importance.proposals import Constant, Proposal, Table
from nicelab.importance.trials import tally
from nicelab.importance.weights import relative_variance
from nicelab.pipeline.params import Section
from nicelab.teaching.answer import Answer
from nicelab.teaching.arguments import Count, Seed, checked

WinProbability = Callable[[int, np.ndarray], ArrayLike]


class Playing(Section):
    """How often one plays."""

    paths: Count
    seed: Seed


@dataclass(frozen=True)
class Own(Proposal):
    """Win probabilities by a function of the play and of all balances."""

    q: WinProbability

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        """What the function says, a number standing for all balances."""
        balances = np.arange(gambler.target + 1)
        for play in range(1, gambler.plays + 1):
            row = np.asarray(self.q(play, balances), float)
            yield row if row.ndim else np.full(balances.shape, row)


def gambler(
    q: float | ArrayLike | WinProbability | Proposal,
    *,
    paths: int = 3000,
    seed: int = 0,
    start: int = 100,
    target: int = 200,
    plays: int = 600,
    p: float = 18 / 37,
) -> Answer:
    """The probability to reach the target, by importance sampling with one's own win probability.

    Args:
        q: to play with: a number, a table of shape (plays, target + 1) by play and balance, a
            function of the play (1, 2, …) and the array of all balances, or a proposal.
        paths: number of games.
        seed: of the games.
        start: chips in the beginning.
        target: where the game is won.
        plays: after which it stops.
        p: the true probability to win a play.

    Examples:
        >>> gambler(0.55)
        (2.31 ± 0.17)×10⁻⁶ (exact: 2.38838×10⁻⁶); exact relative error: 7.05 %
        >>> gambler(lambda play, chips: np.where(chips < 150, 0.6, 0.57))
        (2.423 ± 0.080)×10⁻⁶ (exact: 2.38838×10⁻⁶); exact relative error: 3.4 %
        >>> gambler(0.55, p=1)
        1 (exact: 1); nothing is left to chance

    Raises:
        InputError: the estimate would be biased, q is no probability somewhere, or there is no
            such game.
    """
    playing, proposal = checked(Playing, paths=paths, seed=seed), _proposal(q)
    constants = {"start": start, "target": target, "plays": plays, "p": p}
    certain = checked(Game, **constants).certain()
    if certain is not None:
        return Answer(float(certain), 0.0, 1, float(certain), "nothing is left to chance")
    return _played(checked(Gambler, **constants), proposal, playing)


def _played(game: Gambler, proposal: Proposal, playing: Playing) -> Answer:
    variance = relative_variance(game, proposal)
    error = (variance / playing.paths) ** 0.5 if variance > NO_VARIANCE else 0.0
    found = tally(game, proposal, playing.paths, Draws(playing.seed, "lab"))
    exact = outcome(game).probability
    mean = found.relative.estimate().scaled(exact)
    remark = f"exact relative error: {number(100 * error, '.3g')} %"
    if not found.hits:
        remark = f"no path reached the target; {remark}"
    return Answer(mean.value, mean.standard_error, playing.paths, exact, remark)


def _proposal(q: float | ArrayLike | WinProbability | Proposal) -> Proposal:
    if isinstance(q, Proposal):
        return q
    if callable(q):
        return Own(q)
    try:
        q = np.asarray(q, float)
    except (TypeError, ValueError):
        raise InputError(
            f"q must be a number, a table of numbers, a function or a proposal, got {q!r}"
        ) from None
    return Table(q) if q.ndim else Constant(float(q))
