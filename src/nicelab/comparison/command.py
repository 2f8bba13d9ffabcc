"""The commands `nicelab compare` and `nicelab report`."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from nicelab.artifacts import require_writable, writing
from nicelab.cli import PATH, params_option
from nicelab.comparison import experiments as sweep
from nicelab.comparison import tables
from nicelab.comparison.changes import changes
from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.comparison.verdicts import Verdict
from nicelab.errors import InputError
from nicelab.figures import style
from nicelab.report.contents import complete, read_contents
from nicelab.report.render import render

PIPED = 150  # columns where there is no terminal
USUAL = ("likelihood.test.log_likelihood", "likelihood.test.bits_per_dim")


@click.command()
@click.argument("revisions", nargs=-1, metavar="[REV [REV]]")
@click.option("--all", "everything", is_flag=True, help="List every metric, changed or not.")
@click.option("--md", is_flag=True, help="As Markdown, for a pull request.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, for a script.")
@click.option("--fail-if-worse", is_flag=True, help="Exit with 2 if any metric is worse.")
@click.option("--experiments", is_flag=True, help="Experiments of this commit side by side.")
@click.option("--over-seeds", is_flag=True, help="With --experiments: means over seeds.")
@click.option(
    "--metric", "metrics", multiple=True, help=f"With --experiments; default {', '.join(USUAL)}."
)
@click.option("--plot", type=PATH, help="With --experiments: a picture (.png) of the metrics.")
def compare(
    revisions: tuple[str, ...], everything: bool, md: bool, as_json: bool, fail_if_worse: bool,
    experiments: bool, over_seeds: bool, metrics: tuple[str, ...], plot: Path | None,
) -> None:  # fmt: skip
    """Tell what changed between two revisions, and whether it got better or is noise.

    REV is a commit, branch, tag or DVC experiment; HEAD against the workspace by default, one REV
    against the workspace. Differences have standard errors and are corrected for their number.
    """
    console = Console(width=None if sys.stdout.isatty() else PIPED)
    if experiments:
        if revisions:
            raise InputError("--experiments takes no revisions: it shows those of this commit")
        _side_by_side(over_seeds, metrics or USUAL, plot, console)
        return
    if plot or metrics or over_seeds:
        raise InputError("--plot, --metric and --over-seeds go with --experiments")
    if len(revisions) > 2:
        raise InputError(f"expected at most two revisions, got {len(revisions)}")
    before, after = (*revisions, *("HEAD", WORKSPACE)[len(revisions) :])
    with Revision(before) as one, Revision(after) as two:
        found = changes(one, two)
    if as_json:
        click.echo(tables.as_json(found))
    elif md:
        click.echo(tables.markdown(found, everything))
    else:
        tables.terminal(found, everything, console)
    if fail_if_worse and any(row.verdict == Verdict.WORSE for row in found.rows):
        raise SystemExit(2)


def _side_by_side(
    over_seeds: bool, metrics: tuple[str, ...], plot: Path | None, console: Console
) -> None:
    if plot:
        require_writable(plot)
    runs = sweep.experiments()
    if over_seeds:
        runs = sweep.over_seeds(runs)
    console.print(sweep.table(runs, metrics))
    if plot:
        style.save(sweep.plot(runs, metrics), plot)


@click.command()
@click.option("--against", metavar="REV", help="Add what has changed since this revision.")
@click.option("--out", type=PATH, default="report.html", show_default=True, help="The page.")
@params_option
def report(against: str | None, out: Path, params: Path) -> None:
    """Render the report of the workspace, with what has changed since another revision.

    The pipeline's own report is report/report.html; this one goes where you want it.
    """
    require_writable(out)
    contents = read_contents(Path("metrics"), Path("figures"), Path("stages"), params)
    since = _since(against) if against else None
    page = complete(
        lambda: render(
            contents.metrics, contents.figures, contents.provenance, contents.sources, since
        )
    )
    with writing(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _since(name: str) -> dict[str, Any]:
    with Revision(name) as before, Revision(WORKSPACE) as after:
        found = changes(before, after)
    return {
        "before": found.before,
        "summary": tables.summary(found),
        "headings": tables.HEADINGS,
        "rows": [tables.cells(row) for row in tables.listed(found)],
    }
