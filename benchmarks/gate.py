"""How often `nicelab compare --fail-if-worse` fails: with no change, and with one true loss.

    python benchmarks/gate.py

The headlines as they stand are drawn again and again with their standard errors, in pairs of runs.
One of those that may be worse loses so many standard errors of its difference; each in turn.
`docs/comparing.md` has the table.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from nicelab.comparison.directions import direction
from nicelab.comparison.readings import readings
from nicelab.comparison.verdicts import LEVEL, by_holm, failures, judge
from nicelab.pipeline.artifacts import read_metrics
from nicelab.pipeline.options import PATH
from nicelab.statistics import Estimate, mean

LOSSES = (0.0, 2.0, 3.0, 4.0, 5.0)  # standard errors of the difference
Headlines = Mapping[str, Estimate]


def may_be_worse(headlines: Headlines) -> list[str]:
    """Those that the gate tests."""
    return [name for name, found in headlines.items() if found.standard_error and direction(name)]


def pair(
    headlines: Headlines, random: np.random.Generator, loses: str, loss: float
) -> tuple[Headlines, Headlines]:
    """Two runs of the same code, but that one headline of the second is worse."""
    before, after = (
        {
            name: replace(found, value=found.value + random.normal(0, found.standard_error))
            for name, found in headlines.items()
        }
        for _ in range(2)
    )
    shift = -direction(loses) * loss * 2**0.5 * headlines[loses].standard_error
    return before, after | {loses: replace(after[loses], value=after[loses].value + shift)}


def share_that_fails(headlines: Headlines, loss: float, pairs: int, seed: int = 0) -> Estimate:
    """Of so many pairs of runs; with a loss, of those where it is the headline that lost."""
    random, tested = np.random.default_rng(seed), may_be_worse(headlines)
    failed = []
    for k in range(pairs):
        loses = tested[k % len(tested)]
        rows = by_holm(judge(*pair(headlines, random, loses, loss)))
        names = {row.name for row in failures(rows, headlines=True)}
        failed.append(loses in names if loss else bool(names))
    return mean(np.array(failed, dtype=float))


@click.command()
@click.option("--metrics", type=PATH, default="metrics", show_default=True)
@click.option("--pairs", default=1000, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(metrics: Path, pairs: int, seed: int) -> None:
    """Print the share of pairs of runs that fail, by the loss of one headline."""
    files = {path.stem: read_metrics(path) for path in sorted(metrics.glob("*.json"))}
    headlines = readings(files, str(metrics))
    tested = len(may_be_worse(headlines))
    click.echo(f"{len(headlines)} headlines, {tested} that are tested for a loss at {LEVEL:.0%}\n")
    click.echo("| loss (standard errors) | share that fails |\n| --- | --- |")
    for loss in LOSSES:
        share = share_that_fails(headlines, loss, pairs, seed).scaled(100)
        click.echo(f"| {loss:g} | {share.value:.1f} ± {share.standard_error:.1f} % |")


if __name__ == "__main__":
    main()
