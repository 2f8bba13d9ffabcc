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
from nicelab.comparison.texts import literal, plain
from nicelab.comparison.verdicts import LEVEL, Row, Verdict, direction
from nicelab.formatting import estimate, number
from nicelab.statistics import Estimate

STYLES = {
    Verdict.WORSE: "bold red",
    Verdict.GONE: "bold red",
    Verdict.STALE: "bold red",
    Verdict.BETTER: "bold green",
    Verdict.DIFFERENT: "yellow",
    Verdict.CHANGED: "yellow",
}
LISTED = (*STYLES, Verdict.NO_EVIDENCE, Verdict.NOT_JUDGED, Verdict.NEW)  # in this order
FEW = 8  # names in a line
LETTERS = 16  # of a text
# What matters most is not to be cut off.
HEADINGS = ("verdict", "metric", "before", "after", "difference", "z")
WIDTHS = {"z": 6, "verdict": 11}  # of the columns that do not give way to the others
PAIRED = "* paired over the same images or seeds, else taken as independent."
OF_HEADLINES = (
    "The probability that any headline which did not change is called worse is at most "
    f"{LEVEL:.0%}; so for better and for different (Holm, 1979). {PAIRED}"
)
OF_EVERYTHING = (
    f"At most {LEVEL:.0%} of the verdicts are expected to be noise, however the metrics depend on "
    f"each other (Benjamini and Yekutieli, 2001). {PAIRED}"
)


def _title(difference: Difference) -> str:
    return f"{difference.before} → {difference.after}"


def note(difference: Difference) -> str:
    """What the verdicts are worth."""
    return OF_HEADLINES if difference.headlines else OF_EVERYTHING


def listed(difference: Difference) -> list[Row]:
    """Rows for a reader, what matters most first.

    Every headline that is not the same. Of all results only those that differ; of the numbers
    without error bars only those of which more or less is better.
    """
    rows = [row for row in difference.rows if _is_listed(row, difference.headlines)]
    return sorted(rows, key=lambda row: (LISTED.index(row.verdict), -abs(row.z or 0), row.name))


def _is_listed(row: Row, headline: bool) -> bool:
    if headline:
        return row.verdict != Verdict.SAME
    if row.verdict == Verdict.CHANGED:
        return isinstance(row.after, str) or direction(row.name) != 0
    if row.verdict in (Verdict.GONE, Verdict.STALE):
        return direction(row.name) != 0
    return row.verdict in STYLES


def summary(difference: Difference) -> list[str]:
    """What changed, a line each; of many names only the first."""
    lines = []
    if difference.is_rerun:
        lines.append(
            "code, data and parameters are the same: a run of the same on another machine, with "
            "other packages or threads"
        )
    lines += _changed(difference.params)
    lines += [f"trained with {line}" for line in _changed(difference.machine)]
    for kind, names in (("code", difference.code), ("data", difference.data)):
        if names:
            lines.append(f"{kind}: {_few(names)}")
    lines.append(f"stages affected: {_few(difference.stages) or 'none'}")
    lines += [
        f"stale at {name}: {_few(stages)}; the last run was of other code, parameters "
        "or data: run `dvc repro` there"
        for name, stages in difference.stale.items()
    ]
    if difference.not_cached:
        lines.append(
            f"not in the cache of both: {_few(difference.not_cached)}; without them "
            "the same images or seeds count as independent (`dvc pull`)"
        )
    return lines + [f"{text}: {_few(names)}" for text, names in _notes(difference.rows).items()]


def counted(difference: Difference) -> str:
    """How many metrics there are of each verdict."""
    counts = Counter(row.verdict for row in difference.rows)
    found = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    return f"{'headlines' if difference.headlines else 'metrics'}: {', '.join(found)}"


def _changed(values: dict[str, tuple[Any, Any]]) -> list[str]:
    return [f"{name}: {_plain(one)} → {_plain(two)}" for name, (one, two) in values.items()]


def _notes(rows: list[Row]) -> dict[str, list[str]]:
    """Why metrics have no verdict, and which."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.note:
            found.setdefault(row.note, []).append(row.name)
    return found


def _few(names: list[str]) -> str:
    rest = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + rest


def cells(row: Row) -> tuple[str, ...]:
    """One row as text."""
    difference = shown(row.difference) + ("*" if row.paired else "") if row.difference else ""
    z = "" if row.z is None else number(row.z, "+.1f")
    return str(row.verdict), row.name, shown(row.before), shown(row.after), difference, z


def terminal(difference: Difference, console: Console) -> None:
    """Print with colours."""
    table = Table(
        title=Text(plain(_title(difference))),
        title_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold", width=WIDTHS.get(heading))
    for row in listed(difference):
        table.add_row(*(Text(plain(x)) for x in cells(row)), style=STYLES.get(row.verdict, ""))
    lines = [Text(plain(line)) for line in (*summary(difference), counted(difference))]
    console.print(
        Group(*lines, *([table, Text(note(difference), style="dim")] if table.rows else []))
    )


def markdown(difference: Difference) -> str:
    """For a pull request."""
    found = [tuple(map(literal, cells(row))) for row in listed(difference)]
    rows = [HEADINGS, ("---",) * len(HEADINGS), *found]
    lines = [f"### {literal(_title(difference))}", ""]
    lines += [f"- {literal(line)}" for line in (counted(difference), *summary(difference))]
    if len(rows) > 2:
        lines += ["", *(f"| {' | '.join(row)} |" for row in rows), "", note(difference)]
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
