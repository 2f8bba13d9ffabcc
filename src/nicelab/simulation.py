"""Games of the gambler, drawn with a proposal and weighted by their likelihood ratio.

The weight of a path is the product of p/q over its wins and of (1 − p)/(1 − q) over its losses.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from nicelab.gambler import Gambler
from nicelab.proposals import Proposal, within_reach

BLOCK = 1 << 16  # paths at once; path i is always the same one of block i // BLOCK


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


@dataclass
class Games:
    """Games in progress, of shape (paths,) each."""

    chips: np.ndarray
    log_weight: np.ndarray
    plays: np.ndarray

    @classmethod
    def start(cls, gambler: Gambler, paths: int) -> Self:
        """All at their first play."""
        return cls(np.full(paths, gambler.start), np.zeros(paths), np.zeros(paths, int))


def stream(seed: int, name: str, block: int) -> np.random.Generator:
    """Random numbers of a block of paths: Philox (Salmon et al., 2011) with the block as counter.

    No block depends on those before it, so it does not matter which process plays it.
    """
    key = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(2, np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, block]))


def play(
    gambler: Gambler, proposal: Proposal, paths: int, random: np.random.Generator
) -> Iterator[Games]:
    """Play games at the same time; gives the same object after every play.

    Each play draws one number for every path, whether it still plays or not, so that a path does
    not depend on how the others fare.

    Args:
        gambler: the problem, with the true win probability p.
        proposal: the win probabilities to play with.
        paths: number of games.
        random: the source of the plays.
    """
    games, playing = Games.start(gambler, paths), np.arange(paths)
    for t, q in enumerate(proposal.rows(gambler)):
        reach = within_reach(gambler, gambler.plays - t)
        chips = games.chips[playing]
        playing = playing[(chips >= reach.start) & (chips < reach.stop)]
        if not playing.size:
            return
        with np.errstate(divide="ignore"):
            won, lost = np.log(gambler.p / q), np.log((1 - gambler.p) / (1 - q))
        chips = games.chips[playing]
        wins = random.random(paths)[playing] < q[chips]
        games.log_weight[playing] += np.where(wins, won[chips], lost[chips])
        games.chips[playing] += np.where(wins, 1, -1)
        games.plays[playing] += 1
        yield games


def simulate(gambler: Gambler, proposal: Proposal, paths: int, seed: int, name: str) -> Paths:
    """All games to their end, a block at a time.

    Args:
        gambler: the problem.
        proposal: the win probabilities to play with.
        paths: number of games.
        seed: of the random numbers.
        name: of their stream.
    """
    blocks = []
    for block in range(-(-paths // BLOCK)):
        count = min(BLOCK, paths - block * BLOCK)
        games = Games.start(gambler, count)
        for games in play(gambler, proposal, count, stream(seed, name, block)):  # noqa: B007
            pass
        blocks.append((games.chips == gambler.target, games.log_weight, games.plays))
    return Paths(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def trajectories(gambler: Gambler, proposal: Proposal, paths: int, seed: int) -> np.ndarray:
    """Chips after each play, NaN after the end of the game; float64, shape (paths, plays)."""
    chips = np.full((paths, gambler.plays), np.nan)
    for t, games in enumerate(play(gambler, proposal, paths, stream(seed, "shown", 0))):
        chips[:, t] = np.where(games.plays > t, games.chips, np.nan)
    return chips
