"""Seeded generators: a random stream of its own for each purpose."""

import zlib

import numpy as np
import torch


def generator(
    seed: int, *stream: str | int, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A random stream of its own for each (seed, stream), e.g. `generator(0, "noise", epoch)`.

    Streams are independent of each other and of the order in which they are made; no global
    state is read or changed.
    """
    words = [s if isinstance(s, int) else zlib.crc32(s.encode()) for s in stream]
    state = np.random.SeedSequence([seed, *words]).generate_state(1, np.uint64)[0]
    return torch.Generator(device=device).manual_seed(int(state) >> 1)
