"""A comparison for a terminal, for a pull request and for a script."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from nicelab.comparison.difference import Difference
from nicelab.comparison.verdicts import LEVEL, Row, Verdict, direction
from nicelab.formatting import estimate, number
from nicelab.statistics import Estimate

LISTED = (Verdict.WORSE, Verdict.BETTER, Verdict.DIFFERENT, Verdict.CHANGED)
STYLES = {
    Verdict.WORSE: "bold red",
    Verdict.BETTER: "bold green",
    Verdict.DIFFERENT: "yellow",
    Verdict.CHANGED: "yellow",
}
FEW = 8  # names in a line
LETTERS = 16  # of a text
MODEL = "training.model_md5"  # tells whether it is the same
HEADINGS = ("metric", "before", "after", "difference", "z", "verdict")
WIDTHS = {"z": 6, "verdict": 9}  # of the columns that do not give way to the others
NOTE = (
    f"Differences are called so with a false discovery rate of {LEVEL:.0%} over all that are "
    "tested. * paired over the same images or seeds, else taken as independent."
)


def listed(difference: Difference, everything: bool = False) -> list[Row]:
    """Rows for a reader: what differs, the surest first; or every row in order of name.

    Of the numbers without error bars only those of which more or less is better.
    """
    if everything:
        return difference.rows
    rows = [
        row
        for row in difference.rows
        if row.verdict in LISTED and (row.verdict != Verdict.CHANGED or _matters(row))
    ]
    return sorted(rows, key=lambda row: (LISTED.index(row.verdict), -abs(row.z or 0), row.name))


def _matters(row: Row) -> bool:
    return isinstance(row.after, str) or direction(row.name) != 0


def summary(difference: Difference, everything: bool = False) -> list[str]:
    """What changed, a line each; of many names only the first, unless everything is asked for."""
    lines = [
        f"{name}: {_plain(one)} → {_plain(two)}" for name, (one, two) in difference.params.items()
    ]
    for kind, names in (("code", difference.code), ("data", difference.data)):
        if names:
            lines.append(f"{kind}: {_few(names, everything)}")
    lines.append(f"stages affected: {_few(difference.stages, everything) or 'none'}")
    if difference.stale:
        lines.append(
            f"stale: {', '.join(difference.stale)}; their metrics are older than the code or the "
            "parameters: run `dvc repro`"
        )
    if any(row.name == MODEL and row.verdict == Verdict.CHANGED for row in difference.rows):
        lines.append(
            "trained anew: verdicts are on these two models, each trained once; other seeds may "
            "move them as far (`nicelab compare --experiments --over-seeds`)"
        )
    counts = Counter(row.verdict for row in difference.rows)
    found = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    lines.append(f"metrics: {', '.join(found)}")
    return lines


def _few(names: list[str], everything: bool) -> str:
    shown = names if everything else names[:FEW]
    rest = f" and {len(names) - FEW} more" if len(shown) < len(names) else ""
    return ", ".join(shown) + rest


def cells(row: Row) -> tuple[str, ...]:
    """One row as text."""
    difference = shown(row.difference) + ("*" if row.paired else "") if row.difference else ""
    z = "" if row.z is None else number(row.z, "+.1f")
    return row.name, shown(row.before), shown(row.after), difference, z, str(row.verdict)


def terminal(difference: Difference, everything: bool, console: Console) -> None:
    """Print with colours."""
    table = Table(
        title=f"{difference.before} → {difference.after}",
        title_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    verdict = len(HEADINGS) - 1
    order = (verdict, *range(verdict))  # what matters most is not to be cut off
    for k in order:
        table.add_column(HEADINGS[k], overflow="fold", width=WIDTHS.get(HEADINGS[k]))
    for row in listed(difference, everything):
        texts = cells(row)
        table.add_row(*(Text(texts[k]) for k in order), style=STYLES.get(row.verdict, ""))
    lines = [Text(line) for line in summary(difference, everything)]
    console.print(Group(*lines, *([table, Text(NOTE, style="dim")] if table.rows else [])))


def markdown(difference: Difference, everything: bool) -> str:
    """For a pull request."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *map(cells, listed(difference, everything))]
    lines = [f"### {difference.before} → {difference.after}", ""]
    lines += [f"- {line}" for line in summary(difference, everything)]
    if len(rows) > 2:
        lines += ["", *(f"| {' | '.join(row)} |" for row in rows), "", NOTE]
    return "\n".join(lines)


def as_json(difference: Difference) -> str:
    """Everything, for a script."""
    return json.dumps(asdict(difference), indent=2, ensure_ascii=False)


def shown(reading: Estimate | str | None) -> str:
    """A reading as text."""
    if reading is None:
        return "–"
    return shorten(reading) if isinstance(reading, str) else estimate(reading)


def shorten(text: str) -> str:
    """Text of at most a few letters; a digest is known by its first."""
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}…"


def _plain(value: Any) -> str:  # noqa: ANN401 - whatever the YAML holds
    return "–" if value is None else str(value)
