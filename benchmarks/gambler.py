"""Time until the gambler's probability is known to 1 %: the sheet's loop, and each proposal.

    python benchmarks/gambler.py

The paths needed follow from the exact variance of the proposal. The sheet's loop, and whatever
needs more than a million paths, plays some of them and is extrapolated. Plays per second are
those of the same many paths for each, since threads share blocks and the few paths that a good
proposal needs are less than one. Printed as Markdown, ± one standard error over turns; one
process and as many threads as PyTorch uses (`OMP_NUM_THREADS`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import click
import numpy as np
import torch

from nicelab.formatting import estimate
from nicelab.importance.config import Importance
from nicelab.importance.draws import Draws
from nicelab.importance.methods import Weighted, proposals
from nicelab.importance.proposals import Proposal, tabulated
from nicelab.importance.simulation import BLOCK, simulate, whole_numbers
from nicelab.importance.threads import concurrently
from nicelab.importance.weights import relative_variance
from nicelab.pipeline.options import params_option
from nicelab.pipeline.params import load
from nicelab.statistics import mean

GOAL = 0.01  # relative error
MOST = 1_000_000  # paths that are played
MANY = 16 * BLOCK  # paths whose plays per second are told
DRAWS = Draws(0, "benchmark")


def sheets_loop(config: Importance, paths: int) -> float:
    """The sheet's estimator, one element of a tensor after the other."""
    outcomes = torch.bernoulli(torch.full((paths, config.plays), config.q))
    total = torch.zeros(1)
    for i in range(paths):
        balance, weight = torch.tensor(float(config.start)), torch.ones(1)
        for t in range(config.plays):
            x = outcomes[i, t]
            balance = balance + 2 * x - 1
            weight = weight * (config.p / config.q) ** x
            weight = weight * ((1 - config.p) / (1 - config.q)) ** (1 - x)
            if balance == 0 or balance == config.target:
                break
        if balance == config.target:
            total += weight
    return float(total / paths)


def seconds(run: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def play(config: Importance, proposal: Proposal, paths: int) -> int:
    """Number of plays."""
    return sum(int(block.plays.sum()) for block in simulate(config, proposal, paths, DRAWS))


def bernoulli_rate(config: Importance) -> float:
    """Random numbers compared with q per second, from the simulator's own generator: the limit."""
    threshold, blocks, repeats = np.uint32(config.q * 2**32), range(64), 100

    def compared(block: int) -> None:
        random = DRAWS.stream(block)
        for _ in range(repeats):
            np.less(whole_numbers(random, BLOCK), threshold)

    return len(blocks) * repeats * BLOCK / seconds(lambda: list(concurrently(compared, blocks)))


@dataclass
class Candidate:
    """A proposal on trial.

    Args:
        label: what readers call it.
        proposal: its rows computed once.
        needed: paths to the goal.
        table: seconds that it took to compute the rows; none for a constant.
        took: seconds to the goal, by turn.
        rates: plays per second of many paths, by turn.
    """

    label: str
    proposal: Proposal
    needed: int
    table: float | None
    took: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, config: Importance, entry: Weighted) -> Self:
        """Compute its table."""
        needed = max(2, round(relative_variance(config, entry.proposal) / GOAL**2))
        start = time.perf_counter()
        proposal = tabulated(config, entry.proposal)
        table = None if proposal is entry.proposal else time.perf_counter() - start
        return cls(entry.label, proposal, needed, table)

    def turn(self, config: Importance) -> None:
        """Play once more."""
        paths, plays = min(self.needed, MOST), []
        took = seconds(lambda: play(config, self.proposal, paths))
        self.took.append(took * self.needed / paths)
        took = seconds(lambda: plays.append(play(config, self.proposal, MANY)))
        self.rates.append(plays[0] / took)

    def row(self, loop: np.ndarray, limit: np.ndarray) -> str:
        """Its row of the table, given the loop's seconds and the Bernoulli rates."""
        took, rate = np.array(self.took), np.array(self.rates)
        table = "–" if self.table is None else f"{self.table:.2g}"
        cells = (cell(took), cell(loop / took), cell(rate / 1e6), cell(rate / limit))
        return f"| {self.label} | {self.needed} | {table} | {' | '.join(cells)} |"


@click.command()
@click.option("--turns", type=click.IntRange(2), default=5, show_default=True)
@click.option("--loop-paths", default=50, show_default=True, help="Paths of the sheet's loop.")
@params_option
def main(turns: int, loop_paths: int, params: Path) -> None:
    """Seconds to a relative error of 1 %, and plays per second."""
    config = load(params, "importance", Importance)
    entries: dict[str, Weighted] = {}
    learning = seconds(lambda: entries.update(proposals(config)))
    found = {name: Candidate.of(config, entry) for name, entry in entries.items()}
    sheet = found["sheet"]
    play(config, sheet.proposal, 10)  # compiles
    loops, limits = [], []
    for _ in range(turns):
        once = seconds(lambda: sheets_loop(config, loop_paths)) / loop_paths
        loops.append(once * sheet.needed)
        limits.append(bernoulli_rate(config))
        for candidate in found.values():
            candidate.turn(config)
    loop, limit = np.array(loops), np.array(limits)
    click.echo(
        f"{torch.get_num_threads()} threads; learning all proposals: {learning:.0f} s, not "
        f"counted below; Bernoulli rate: {cell(limit / 1e6)} × 10⁶ numbers/s\n"
    )
    click.echo(
        "| code | paths | table of the proposal (s) | simulation (s) | times the sheet's "
        "loop | 10⁶ plays/s | share of the Bernoulli rate |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- | --- |")
    click.echo(f"| the sheet's loop | {sheet.needed} | – | {cell(loop)} | 1 | – | – |")
    for candidate in found.values():
        click.echo(candidate.row(loop, limit))


def cell(values: np.ndarray) -> str:
    """Mean ± standard error over turns."""
    return estimate(mean(values))


if __name__ == "__main__":
    main()
