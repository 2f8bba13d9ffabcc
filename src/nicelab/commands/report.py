"""The command `nicelab report`."""

from pathlib import Path

import click

from nicelab.comparison import tables
from nicelab.comparison.difference import compare_revisions
from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.pipeline.files import require_writable, writing
from nicelab.pipeline.options import PATH, params_option
from nicelab.report.contents import Since, read_contents
from nicelab.report.made import made_here
from nicelab.report.render import render
from nicelab.report.tables.table import Table


@click.command()
@click.option("--against", metavar="REV", help="Add what has changed since this revision.")
@click.option("--out", type=PATH, default="report.html", show_default=True, help="The page.")
@params_option
def report(against: str | None, out: Path, params: Path) -> None:
    """Render the report of the workspace, with what has changed since another revision.

    The pipeline's own report is report/report.html, the same wherever it is made. This one goes
    where you want it, and tells when, where and from which commit it was made.
    """
    require_writable(out)
    contents = read_contents(Path("results"), Path("figures"), Path("stages"), params)
    page = render(contents, _since(against) if against else None, made_here())
    with writing(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _since(name: str) -> Since:
    with Revision(name) as before, Revision(WORKSPACE) as after:
        found = compare_revisions(before, after)
    rows = [tables.cells(row) for row in tables.listed(found)]
    table = Table(tables.note(found), tables.HEADINGS, rows)
    return Since(found.before, tables.counted(found), tables.summary(found), table)
