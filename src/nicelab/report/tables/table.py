"""What a table of the report is."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import Estimate

NONE = "–"  # where there is no number
NUMBER = re.compile(r"[(+−-]*[\d∞]")


@dataclass(frozen=True)
class Table:
    """Rows of text under headings."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers, with their errors and units, or nothing."""
        return [
            all(NUMBER.match(str(row[k])) or row[k] == NONE for row in self.rows)
            for k in range(len(self.headings))
        ]


def by_flow(
    flows: Mapping[str, Metrics], rows: Callable[[Metrics], Iterable[Sequence[str]]]
) -> list[tuple[str, ...]]:
    """The rows of every flow below one another, each after the flow's name."""
    return [(metrics["flow"], *row) for metrics in flows.values() for row in rows(metrics)]


def first(flows: Mapping[str, Metrics]) -> Metrics:
    """Those of the sheet's flow, from whose file what is common to all is read too."""
    return next(iter(flows.values()))


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
