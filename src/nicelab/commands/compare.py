"""The command `nicelab compare`."""

import sys
from pathlib import Path

import click
from matplotlib.figure import Figure
from rich.console import Console

from nicelab.comparison import experiments, tables
from nicelab.comparison.difference import Difference, compare_revisions
from nicelab.comparison.experiments import Experiment
from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.comparison.verdicts import Verdict
from nicelab.errors import InputError
from nicelab.figures import style
from nicelab.figures.experiments import draw
from nicelab.pipeline.artifacts import require_writable
from nicelab.pipeline.options import PATH

PIPED = 150  # columns where there is no terminal
USUAL = ("likelihood.test.log_likelihood", "likelihood.test.bits_per_dim")


@click.command()
@click.argument("revisions", nargs=-1, metavar="[REV [REV]]")
@click.option("--all", "everything", is_flag=True, help="List every metric, changed or not.")
@click.option("--md", is_flag=True, help="As Markdown, for a pull request.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, for a script.")
@click.option("--fail-if-worse", is_flag=True, help="Exit with 2 if any metric is worse.")
@click.option(
    "--experiments", "sweep", is_flag=True, help="Experiments of this commit side by side."
)
@click.option("--over-seeds", is_flag=True, help="With --experiments: means over seeds.")
@click.option(
    "--metric", "metrics", multiple=True, help=f"With --experiments; default {', '.join(USUAL)}."
)
@click.option("--plot", type=PATH, help="With --experiments: a picture (.png) of the metrics.")
def compare(
    revisions: tuple[str, ...],
    everything: bool,
    md: bool,
    as_json: bool,
    fail_if_worse: bool,
    sweep: bool,
    over_seeds: bool,
    metrics: tuple[str, ...],
    plot: Path | None,
) -> None:
    """Tell what changed between two revisions, and whether it got better or is noise.

    REV is a commit, branch, tag or DVC experiment; HEAD against the workspace by default, one REV
    against the workspace. Differences have standard errors and are corrected for their number.
    """
    console = Console(width=None if sys.stdout.isatty() else PIPED)
    if sweep and revisions:
        raise InputError("--experiments takes no revisions: it shows those of this commit")
    if sweep:
        _side_by_side(over_seeds, metrics or USUAL, plot, console)
        return
    if plot or metrics or over_seeds:
        raise InputError("--plot, --metric and --over-seeds go with --experiments")
    found = _between(revisions)
    if as_json:
        click.echo(tables.as_json(found))
    elif md:
        click.echo(tables.markdown(found, everything))
    else:
        tables.terminal(found, everything, console)
    if fail_if_worse and any(row.verdict == Verdict.WORSE for row in found.rows):
        raise SystemExit(2)


def _between(revisions: tuple[str, ...]) -> Difference:
    if len(revisions) > 2:
        raise InputError(f"expected at most two revisions, got {len(revisions)}")
    before, after = (*revisions, *("HEAD", WORKSPACE)[len(revisions) :])
    with Revision(before) as one, Revision(after) as two:
        return compare_revisions(one, two)


def _side_by_side(
    over_seeds: bool, metrics: tuple[str, ...], plot: Path | None, console: Console
) -> None:
    if plot:
        require_writable(plot)
    runs = experiments.read_experiments()
    if over_seeds:
        runs = experiments.over_seeds(runs)
    console.print(experiments.table(runs, metrics))
    if plot:
        style.save(_picture(runs, metrics), plot)


def _picture(runs: list[Experiment], metrics: tuple[str, ...]) -> Figure:
    name, runs = experiments.in_order(runs)
    return draw(
        [run.name for run in runs],
        {metric: experiments.intervals(runs, metric) for metric in metrics},
        (name, [run.params[name] for run in runs]) if name else None,
    )
