"""Estimators of the gambler's probability, from the worst to the exact one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import number
from nicelab.importance.records import RareEvent
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import Estimate

EXACT = {"color": style.GREY, "marker": "|", "s": 160, "label": "exact"}
ABOVE = 0.3  # where the exact errors are marked, in rows

Rows = Mapping[str, tuple[int, str]]  # height and label, by method


@dataclass(frozen=True)
class Series:
    """Errors that were seen: what they are called, where in a row they are, and their look."""

    label: str
    offset: float
    look: Mapping[str, Any]


OBSERVED = Series("observed", 0.0, {"fmt": "o", "ms": 5, "color": style.BLUE})
REPEATED = Series("over replicates", -0.3, {"fmt": "D", "ms": 4, "color": style.ORANGE})


def draw(found: RareEvent, metrics: Metrics) -> Figure:
    """Exact and observed relative error, and work, of each estimator that has any variance."""
    methods, labels = metrics["methods"], metrics["labels"]["methods"]
    shown = [name for name in labels if methods[name]["work"].value > 0]
    rows = {name: (len(shown) - k, labels[name]) for k, name in enumerate(shown)}
    first, last = (methods[name]["exact_relative_error"].value for name in ("crude", "learned"))
    figure = style.new(
        f"{metrics['paths']} paths: a proposal that has learned play and balance divides the "
        f"relative\nerror of crude Monte Carlo by {first / last:.0f}",
        height=4.8,
    )
    left, right = figure.subplots(1, 2, sharey=True)
    repeated = {name: method.get("replicated", {}) for name, method in methods.items()}
    _estimated(left, rows, methods, OBSERVED)
    _estimated(left, rows, repeated, REPEATED)
    _exact(left, rows, methods)
    left.set(xscale="log", xlabel="relative error (%)")
    left.set_yticks([y for y, _ in rows.values()], [label for _, label in rows.values()])
    left.set_title("no observed error: fewer than two paths hit", fontsize=9)
    left.legend(loc="lower right")
    _work(right, rows, methods)
    for axes in (left, right):
        axes.grid(axis="y", color="#e5e5e5", lw=0.8)
        axes.set_axisbelow(True)
    return figure


def _exact(axes: Axes, rows: Rows, methods: Mapping[str, Any]) -> None:
    known = {
        name: place for name, place in rows.items() if "exact_relative_error" in methods[name]
    }
    errors = [100 * methods[name]["exact_relative_error"].value for name in known]
    axes.scatter(errors, [y for y, _ in known.values()], **EXACT)
    for x, (y, label) in zip(errors, known.values(), strict=True):
        style.mark(axes, x, y + ABOVE, f"{label}, exact: {number(x, '.3g')} %")


def _estimated(axes: Axes, rows: Rows, entries: Mapping[str, Any], series: Series) -> None:
    errors: dict[str, Estimate] = {
        name: entries[name]["relative_error"].scaled(100)
        for name in rows
        if "relative_error" in entries[name]
    }
    places = [rows[name][0] + series.offset for name in errors]
    values, margins = [x.value for x in errors.values()], [x.margin for x in errors.values()]
    look = {**series.look, "ls": "none", "capsize": 3, "label": f"{series.label}, 95 % interval"}
    axes.errorbar(values, places, xerr=margins, **look)
    for (name, x), y in zip(errors.items(), places, strict=True):
        value, error = (number(part, ".2g") for part in (x.value, x.standard_error))
        style.mark(axes, x.value, y, f"{rows[name][1]}, {series.label}: {value} ± {error} %")


def _work(axes: Axes, rows: Rows, methods: Mapping[str, Any]) -> None:
    work = [methods[name]["work"].value for name in rows]
    axes.scatter(work, [y for y, _ in rows.values()], marker="D", s=26, color=style.GREEN)
    for x, (y, label) in zip(work, rows.values(), strict=True):
        style.mark(axes, x, y, f"{label}: {number(x, '.2e')} plays")
    axes.set(xscale="log", xlabel="relative variance × plays")
    axes.set_title("plays that a relative error of 100 % costs", fontsize=9)
