"""Time until the gambler's probability is known to 1 %: the sheet's loop, and each proposal.

    python benchmarks/gambler.py

The paths needed follow from the exact variance of the proposal. The sheet's loop, and whatever
needs more than a million paths, plays some of them and is extrapolated. Printed as Markdown, ± one
standard error over turns; one process and as many threads as PyTorch uses (`OMP_NUM_THREADS`).
"""

import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch

from nicelab.formatting import estimate
from nicelab.importance.config import Importance
from nicelab.importance.proposals import Constant, Proposal, relative_variance, tabulated
from nicelab.importance.simulation import BLOCK, simulate, stream, whole_numbers
from nicelab.importance.study import proposals
from nicelab.importance.threads import concurrently
from nicelab.pipeline.options import params_option
from nicelab.pipeline.params import load
from nicelab.statistics import mean

GOAL = 0.01  # relative error
MOST = 1_000_000  # paths that are played


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
    return sum(
        int(block.plays.sum()) for block in simulate(config, proposal, paths, 0, "benchmark")
    )


def bernoulli_rate(config: Importance) -> float:
    """Random numbers compared with q per second, from the simulator's own generator: the limit."""
    threshold, blocks, repeats = np.uint32(config.q * 2**32), range(64), 100

    def compared(block: int) -> None:
        random = stream(0, "benchmark", block)
        for _ in range(repeats):
            np.less(whole_numbers(random, BLOCK), threshold)

    return len(blocks) * repeats * BLOCK / seconds(lambda: list(concurrently(compared, blocks)))


@click.command()
@click.option("--turns", default=5, show_default=True)
@click.option("--loop-paths", default=50, show_default=True, help="Paths of the sheet's loop.")
@params_option
def main(turns: int, loop_paths: int, params: Path) -> None:
    """Seconds to a relative error of 1 %, and plays per second."""
    config = load(params, "importance", Importance)
    found: dict[str, Proposal] = {}
    learning = seconds(lambda: found.update(proposals(config)))
    needed = {name: max(2, round(relative_variance(config, x) / GOAL**2))
              for name, x in found.items()}  # fmt: skip
    tables = {name: seconds(lambda x=x: tabulated(config, x)) for name, x in found.items()}
    found = {name: tabulated(config, x) for name, x in found.items()}
    play(config, found["sheet"], 10)  # compiles
    loops, limits = [], []
    times: dict[str, list[float]] = {name: [] for name in found}
    rates: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(turns):
        loop = seconds(lambda: sheets_loop(config, loop_paths)) / loop_paths
        loops.append(loop * needed["sheet"])
        limits.append(bernoulli_rate(config))
        for name, proposal in found.items():
            paths, plays = min(needed[name], MOST), []
            took = seconds(lambda x=proposal, n=paths, out=plays: out.append(play(config, x, n)))
            times[name].append(took * needed[name] / paths)
            rates[name].append(plays[0] / took)
    sheet, limit = np.array(loops), np.array(limits)
    click.echo(f"{torch.get_num_threads()} threads; learning all proposals: {learning:.0f} s, not "
               f"counted below; Bernoulli rate: "
               f"{cell(limit / 1e6)} × 10⁶ numbers/s\n")  # fmt: skip
    click.echo("| code | paths | table of the proposal (s) | simulation (s) | times the sheet's "
               "loop | 10⁶ plays/s | share of the Bernoulli rate |")  # fmt: skip
    click.echo("| --- | --- | --- | --- | --- | --- | --- |")
    click.echo(f"| the sheet's loop | {needed['sheet']} | – | {cell(sheet)} | 1 | – | – |")
    for name, values in times.items():
        constant = isinstance(found[name], Constant)
        took, rate = np.array(values), np.array(rates[name])
        cells = (cell(took), cell(sheet / took), cell(rate / 1e6), cell(rate / limit))
        table = "–" if constant else f"{tables[name]:.2g}"
        click.echo(f"| {name.replace('_', ' ')} | {needed[name]} | {table} | "
                   f"{' | '.join(cells)} |")  # fmt: skip


def cell(values: np.ndarray) -> str:
    """Mean ± standard error over turns."""
    return estimate(vars(mean(values)))


if __name__ == "__main__":
    main()
