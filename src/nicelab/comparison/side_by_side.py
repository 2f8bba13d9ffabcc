"""Experiments as a table for a terminal or a pull request, and for a script."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from nicelab.comparison.experiments import Experiment, labels, varied
from nicelab.comparison.tables import STYLES, shown
from nicelab.comparison.texts import literal, plain
from nicelab.comparison.verdicts import LEVEL, Row, Verdict
from nicelab.formatting import number

NOTE = (
    "Each is compared to the first: recipes over their seeds by Welch's t-test, single runs by "
    "the errors of each. The probability that any which is no worse is called so is at most "
    f"{LEVEL:.0%}; the same for better (Holm, 1979)."
)
FIRST = "–"  # instead of a verdict


def headings(runs: Sequence[Experiment], metrics: Sequence[str]) -> list[str]:
    """Of the columns: what varies, then each metric and its verdict."""
    results = [heading for name in metrics for heading in (name, "verdict")]
    return ["experiment", *varied(runs), *(["seeds"] if runs[0].seeds else []), *results]


def cells(
    runs: Sequence[Experiment], metrics: Sequence[str], rows: Sequence[Sequence[Row]]
) -> list[list[str]]:
    """A row of text for each run."""
    params = varied(runs)
    found = []
    for run, judged in zip(runs, ([None] * len(metrics), *rows), strict=True):
        values = [str(run.params.get(name, "–")) for name in params]
        seeds = [str(run.seeds)] if run.seeds else []
        results = [
            text
            for name, row in zip(metrics, judged, strict=True)
            for text in (shown(run.metrics.get(name)), _verdict(row))
        ]
        found.append([run.name, *values, *seeds, *results])
    return found


def terminal(
    runs: Sequence[Experiment], metrics: Sequence[str], rows: Sequence[Sequence[Row]]
) -> Table:
    """With colours."""
    table = Table(caption=NOTE, caption_justify="left")
    for heading in headings(runs, metrics):
        table.add_column(Text(plain(heading)), overflow="fold")
    styles = ["", *(_style(judged) for judged in rows)]
    for texts, style in zip(cells(runs, metrics, rows), styles, strict=True):
        table.add_row(*(Text(plain(x)) for x in texts), style=style)
    return table


def markdown(
    runs: Sequence[Experiment], metrics: Sequence[str], rows: Sequence[Sequence[Row]]
) -> str:
    """For a pull request."""
    titles = headings(runs, metrics)
    texts = [[literal(x) for x in line] for line in (titles, *cells(runs, metrics, rows))]
    lines = [texts[0], ["---"] * len(titles), *texts[1:]]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", NOTE])


def as_json(
    runs: Sequence[Experiment], metrics: Sequence[str], rows: Sequence[Sequence[Row]]
) -> str:
    """For a script; every metric of every run."""
    found = [
        {**asdict(run), "label": label, "rows": [asdict(row) for row in judged]}
        for run, label, judged in zip(runs, labels(runs), ([], *rows), strict=True)
    ]
    return json.dumps(found, indent=2, ensure_ascii=False)


def _verdict(row: Row | None) -> str:
    if row is None:
        return FIRST
    p = "" if row.adjusted_p is None else f" (p = {number(row.adjusted_p, '.2g')})"
    return f"{row.verdict}{p}{f', {row.note}' if row.note else ''}"


def _style(rows: Sequence[Row]) -> str:
    """Of the gravest verdict."""
    order = list(Verdict)
    return STYLES.get(min((row.verdict for row in rows), key=order.index), "")
