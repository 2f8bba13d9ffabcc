"""What a table of the report is."""

from collections.abc import Sequence
from dataclasses import dataclass

from nicelab.formatting import estimate, number
from nicelab.statistics import Estimate

NONE = "–"  # where there is no number


@dataclass(frozen=True)
class Table:
    """Rows of text under headings."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def optional(metric: Estimate | None) -> str:
    """An estimate with its standard error, if there is one."""
    return NONE if metric is None else estimate(metric)


def percent(ratio: Estimate | None) -> str:
    """A ratio and its standard error in per cent; an exact one alone."""
    if ratio is None:
        return NONE
    value, error = 100 * ratio.value, 100 * ratio.standard_error
    shown = f" ± {number(error, '.2g')}" if error else ""
    return f"{number(value, '.3g')}{shown} %"
