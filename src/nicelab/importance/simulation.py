"""Games of the gambler, drawn with a proposal and weighted by their likelihood ratio.

The weight of a path is the product of p/q over its wins and of (1 − p)/(1 − q) over its losses.
Random numbers are whole, of 32 bits, and q is rounded to a multiple of 2⁻³²; the weights are those
of the rounded q, so the estimate has no bias from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numba import njit

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.proposals import Proposal, tabulated
from nicelab.importance.threads import concurrently

BLOCK = 1 << 14  # paths at once; path i is always the same one of block i // BLOCK
STRETCH = 1 << 17  # plays at once, of all paths together
SCALE = 1 << 32


@dataclass(frozen=True)
class Paths:
    """Simulated games: whether each reached the target, its log weight, its number of plays.

    A game stops as soon as the target is out of reach.
    """

    hit: np.ndarray
    log_weight: np.ndarray
    plays: np.ndarray

    @property
    def samples(self) -> np.ndarray:
        """w·1{hit} of each path, whose mean estimates the probability; float64."""
        return np.where(self.hit, np.exp(self.log_weight), 0.0)


@dataclass(frozen=True)
class Stretch:
    """Some plays of the games that still go on.

    Args:
        first: number of plays before them.
        games: which games these are, shape (games,).
        chips: balance before the first of these plays and after each, shape (plays + 1, games).
            It stays as it is after the end of a game.
    """

    first: int
    games: np.ndarray
    chips: np.ndarray


class Games:
    """Games that are played at the same time; `play` gives them one stretch after another."""

    def __init__(self, gambler: Gambler, paths: int) -> None:
        self.gambler = gambler
        self.chips = np.full(paths, gambler.start, np.int32)
        self.log_weight = np.zeros(paths)
        self.plays = np.zeros(paths, np.int32)

    def play(self, proposal: Proposal, random: np.random.Generator) -> Iterator[Stretch]:
        """Play all games to their end.

        Those that have ended are left out once they are the half; a path's numbers are therefore
        those of its block, whoever plays it.

        Args:
            proposal: the win probabilities to play with.
            random: the source of the plays.
        """
        rows, t, active = proposal.rows(self.gambler), 0, len(self.chips)
        games, (chips, log_weight, plays) = np.arange(active), self._state()
        while active and (q := np.array(list(islice(rows, max(1, STRETCH // len(games)))))).size:
            numbers = whole_numbers(random, q.shape[0] * len(games))
            history = np.empty((len(q) + 1, len(games)), np.int32)
            history[0] = chips
            left = self.gambler.plays - t
            active = _play(q, self.gambler.p, left, numbers, history, log_weight, plays)
            t, chips = t + len(q), history[-1]
            yield Stretch(t - len(q), games, history)
            if active < len(games) // 2:
                self._keep(games, chips, log_weight, plays)
                games = games[plays == t]
                chips, log_weight, plays = (x[games] for x in self._state())
        self._keep(games, chips, log_weight, plays)

    def _state(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.chips, self.log_weight, self.plays

    def _keep(self, games: np.ndarray, *state: np.ndarray) -> None:
        for whole, part in zip(self._state(), state, strict=True):
            whole[games] = part

    def paths(self) -> Paths:
        """What has become of them."""
        return Paths(self.chips == self.gambler.target, self.log_weight, self.plays)


@njit(cache=True, nogil=True)
def _play(  # noqa: ANN202 - the number of games that go on
    q: np.ndarray,
    p: float,
    left: int,
    numbers: np.ndarray,
    chips: np.ndarray,
    log_weight: np.ndarray,
    plays: np.ndarray,
):
    """Fill `chips` and add to the weights and plays; entries 2c and 2c + 1 are loss and win."""
    target = q.shape[1] - 1
    threshold = np.empty(target + 1, np.int64)
    gain, following = np.empty(2 * target + 2), np.empty(2 * target + 2, np.int32)
    games = chips.shape[1]
    for t in range(len(q)):
        for c in range(chips[t].min(), chips[t].max() + 1):
            threshold[c] = np.rint(q[t, c] * SCALE)
            if 0 < q[t, c] < 1:
                threshold[c] = min(max(threshold[c], 1), SCALE - 1)
            if 0 < c < target and target - c <= left - t:
                won = threshold[c] / SCALE
                gain[2 * c] = np.log((1 - p) / (1 - won)) if won < 1 else np.inf
                gain[2 * c + 1] = np.log(p / won) if won > 0 else np.inf
                following[2 * c], following[2 * c + 1] = c - 1, c + 1
            else:
                gain[2 * c] = gain[2 * c + 1] = 0
                following[2 * c] = following[2 * c + 1] = c
        before, after, drawn = chips[t], chips[t + 1], numbers[t * games : (t + 1) * games]
        for i in range(games):
            c = np.uint32(before[i])
            outcome = np.uint32(2) * c + np.uint32(drawn[i] < threshold[c])
            after[i] = following[outcome]
            log_weight[i] += gain[outcome]
    active = 0
    for i in range(games):
        t = len(q)
        while t > 0 and chips[t, i] == chips[t - 1, i]:
            t -= 1
        plays[i] += t
        active += t == len(q)
    return active


def whole_numbers(random: np.random.Generator, count: int) -> np.ndarray:
    """Uniform on 0 … 2³² − 1, uint32, shape (count,): the halves of the generator's own words."""
    return random.bit_generator.random_raw(-(-count // 2)).view(np.uint32)[:count]


def simulate(gambler: Gambler, proposal: Proposal, paths: int, draws: Draws) -> Iterator[Paths]:
    """All games to their end, a block of them after the other; the threads share them.

    Args:
        gambler: the problem.
        proposal: the win probabilities to play with.
        paths: number of games.
        draws: the random numbers; each process is given its own blocks alone.
    """
    blocks = draws.mine(-(-paths // BLOCK))
    if len(blocks) > 1:
        proposal = tabulated(gambler, proposal)

    def played(block: int) -> Paths:
        games = Games(gambler, min(BLOCK, paths - block * BLOCK))
        for _ in games.play(proposal, draws.stream(block)):
            pass
        return games.paths()

    yield from concurrently(played, blocks)


def trajectories(gambler: Gambler, proposal: Proposal, paths: int, draws: Draws) -> np.ndarray:
    """Chips before the first and after each play, NaN after the end; shape (paths, plays + 1)."""
    games = Games(gambler, paths)
    chips = np.full((paths, gambler.plays + 1), np.nan)
    chips[:, 0] = gambler.start
    for stretch in games.play(proposal, draws.stream(0)):
        after = stretch.first + 1 + np.arange(len(stretch.chips) - 1)
        moved = stretch.chips[1:] != stretch.chips[:-1]
        chips[np.ix_(stretch.games, after)] = np.where(moved, stretch.chips[1:], np.nan).T
    return chips
