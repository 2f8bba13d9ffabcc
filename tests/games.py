"""Games for the tests."""

from dataclasses import astuple

import numpy as np

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.proposals import Proposal
from nicelab.importance.simulation import Paths, simulate


def played(gambler: Gambler, proposal: Proposal, paths: int, seed: int = 0) -> Paths:
    """All blocks of simulated games together."""
    blocks = [astuple(block) for block in simulate(gambler, proposal, paths, Draws(seed, "test"))]
    return Paths(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
