"""The command `nicelab compare`."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from matplotlib.figure import Figure
from rich.console import Console

from nicelab.comparison import experiments, side_by_side, tables
from nicelab.comparison.difference import Difference, compare_revisions
from nicelab.comparison.experiments import Experiment
from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.comparison.texts import plain
from nicelab.comparison.verdicts import Row, failures
from nicelab.errors import InputError
from nicelab.figures import style
from nicelab.figures.experiments import draw
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH

PIPED = 150  # columns where there is no terminal
FAILED = 2  # exit status


@click.command()
@click.argument("revisions", nargs=-1, metavar="[REV [REV]]")
@click.option("--all", "everything", is_flag=True, help="All results instead of the headlines.")
@click.option("--md", is_flag=True, help="As Markdown, for a pull request.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, for a script.")
@click.option(
    "--fail-if-worse", is_flag=True, help="Exit with 2 if anything is worse, stale or gone."
)
@click.option(
    "--experiments", "sweep", is_flag=True, help="Experiments of this commit side by side."
)
@click.option("--over-seeds", is_flag=True, help="With --experiments: means over seeds.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="With --experiments; default: the likelihood of test images under every flow.",
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
    form = "json" if as_json else "md" if md else "terminal"
    if sweep and (revisions or everything):
        raise InputError("--experiments takes no revisions and no --all: name each --metric")
    if sweep:
        failed = _sweep(over_seeds, metrics, plot, form)
    elif plot or metrics or over_seeds:
        raise InputError("--plot, --metric and --over-seeds go with --experiments")
    else:
        found = _between(revisions, everything)
        _show(found, form)
        failed = [("", row) for row in failures(found.rows, found.headlines)]
    if fail_if_worse and failed:
        click.echo(_reasons(failed), err=True)
        raise SystemExit(FAILED)


def _between(revisions: tuple[str, ...], everything: bool) -> Difference:
    if len(revisions) > 2:
        raise InputError(f"expected at most two revisions, got {len(revisions)}")
    before, after = (*revisions, *("HEAD", WORKSPACE)[len(revisions) :])
    with Revision(before) as one, Revision(after) as two:
        return compare_revisions(one, two, everything)


def _show(found: Difference, form: str) -> None:
    match form:
        case "json":
            click.echo(tables.as_json(found))
        case "md":
            click.echo(tables.markdown(found))
        case _:
            tables.terminal(found, _console())


def _sweep(
    over_seeds: bool, metrics: tuple[str, ...], plot: Path | None, form: str
) -> list[tuple[str, Row]]:
    """Show experiments; what fails, with the label of its run."""
    if plot:
        require_writable(plot)
    runs = experiments.read_experiments()
    metrics = metrics or experiments.usual(runs)
    if over_seeds:
        runs = experiments.over_seeds(runs)
    rows = experiments.against_the_first(runs, metrics)
    match form:
        case "json":
            click.echo(side_by_side.as_json(runs, metrics, rows))
        case "md":
            click.echo(side_by_side.markdown(runs, metrics, rows))
        case _:
            _console().print(side_by_side.terminal(runs, metrics, rows))
    if plot:
        style.save([_picture(runs, metrics)], plot)
    labels = experiments.labels(runs)[1:]
    return [
        (f"{label}: ", row)
        for label, judged in zip(labels, rows, strict=True)
        for row in failures(judged, headlines=True)
    ]


def _reasons(failed: Iterable[tuple[str, Row]]) -> str:
    return "\n".join(plain(f"{row.verdict}: {label}{row.name}") for label, row in failed)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else PIPED)


def _picture(runs: list[Experiment], metrics: tuple[str, ...]) -> Figure:
    name, runs = experiments.in_order(runs)
    return draw(
        experiments.labels(runs),
        {metric: experiments.intervals(runs, metric) for metric in metrics},
        (name, [run.params[name] for run in runs]) if name else None,
    )
