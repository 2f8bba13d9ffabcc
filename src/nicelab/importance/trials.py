"""What the simulated games of a proposal say, without keeping them: sums over blocks of paths.

Several processes may share the blocks, or the replicates. Their sums are put in order before they
are added, so that no result depends on how many processes there are, to the last bit.
"""

from dataclasses import astuple, dataclass

import numpy as np
import torch

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.moments import Moments
from nicelab.importance.proposals import Proposal, tabulated
from nicelab.importance.simulation import BLOCK, Games, Paths, simulate
from nicelab.importance.threads import concurrently
from nicelab.importance.weights import require_unbiased
from nicelab.statistics import Estimate


@dataclass(frozen=True)
class Tally:
    """Sufficient statistics of the paths of one proposal.

    Args:
        hits: paths that reach the target.
        relative: of w·1{hit} / I, with the exact probability I as the unit.
        plays: of the number of plays of a path.
        first: the paths of the first block; no paths in a process that does not play it.
    """

    hits: int
    relative: Moments
    plays: Moments
    first: Paths


def tally(gambler: Gambler, proposal: Proposal, paths: int, draws: Draws) -> Tally:
    """Play and add up; see `simulate` for the arguments.

    Raises:
        InputError: the proposal is biased, or its rows are no win probabilities.
    """
    require_unbiased(gambler, proposal)
    return _tally(gambler, proposal, paths, draws)


def _tally(gambler: Gambler, proposal: Proposal, paths: int, draws: Draws) -> Tally:
    unit, first, ranks = outcome(gambler).probability, Games(gambler, 0).paths(), draws.ranks
    rows: list[list[float]] = []
    for block in simulate(gambler, proposal, paths, draws):
        if ranks.first and not rows:
            first = block
        parts = (Moments.of(block.samples / unit), Moments.of(block.plays))
        rows.append([block.hit.sum(), *(x for part in parts for x in astuple(part))])
    columns = torch.tensor(rows, dtype=torch.float64).reshape(-1, 11).T
    blocks = -(-paths // BLOCK)
    merged = torch.stack([ranks.merge(column, blocks) for column in columns], -1).numpy()
    relative, plays = (
        Moments.merged([Moments(*row) for row in part]) for part in np.split(merged[:, 1:], 2, 1)
    )
    return Tally(int(merged[:, 0].sum()), relative, plays, first)


def replicate(
    gambler: Gambler, proposal: Proposal, paths: int, replicates: int, draws: Draws
) -> tuple[np.ndarray, np.ndarray]:
    """The whole estimate again and again, each from its own paths.

    Returns:
        Estimates and their standard errors in units of the exact probability, (replicates,) each.

    Raises:
        InputError: the proposal is biased, or its rows are no win probabilities.
    """
    require_unbiased(gambler, proposal)
    proposal = tabulated(gambler, proposal)

    def once(replicate: int) -> Estimate:
        own = draws.alone().named(str(replicate))
        return _tally(gambler, proposal, paths, own).relative.estimate()

    shared = concurrently if paths <= BLOCK else map  # the threads share many blocks already
    relative = list(shared(once, draws.mine(replicates)))
    centre, error = (
        draws.ranks.merge(torch.tensor([getattr(x, part) for x in relative]).double(), replicates)
        for part in ("value", "standard_error")
    )
    return centre.numpy(), error.numpy()
