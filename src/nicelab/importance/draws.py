"""The random numbers of the gambler's games, by name and block."""

import zlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from nicelab.machine.ranks import ALONE, Ranks


@dataclass(frozen=True)
class Draws:
    """Random numbers under a name, and the processes that share their blocks.

    Args:
        seed: of all random numbers.
        name: of these ones.
        ranks: each process takes every `size`-th block.
    """

    seed: int
    name: str = ""
    ranks: Ranks = ALONE

    def named(self, part: str) -> Self:
        """Numbers of their own, under this name and the other one after it."""
        return replace(self, name=f"{self.name} {part}".lstrip())

    def alone(self) -> Self:
        """The same numbers, of which this process takes all blocks."""
        return replace(self, ranks=ALONE)

    def mine(self, blocks: int) -> range:
        """Which of so many blocks this process takes."""
        return range(blocks)[self.ranks.rank :: self.ranks.size]

    def stream(self, block: int) -> np.random.Generator:
        """Numbers of a block: Philox (Salmon et al., 2011) with the block as counter.

        No block depends on those before it, so it does not matter which process plays it.
        """
        words = [self.seed, zlib.crc32(self.name.encode())]
        key = np.random.SeedSequence(words).generate_state(2, np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, block]))
