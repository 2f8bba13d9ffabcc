"""Estimators of the gambler's probability, from the worst to the exact one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import number
from nicelab.importance.records import RareEvent
from nicelab.importance.verdicts import GOAL, plays_needed
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
    figure = style.new(finding(metrics), height=5.0)
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


def finding(metrics: Metrics) -> str:
    """The errors of crude Monte Carlo and the logistic proposal, and whether learning paid."""
    methods, label = metrics["methods"], metrics["labels"]["methods"]["learned"]
    crude, learned = (methods[x]["exact_relative_error"].value for x in ("crude", "learned"))
    text = (
        f"{metrics['paths']} paths: relative error {number(100 * crude, '.4g')} % by crude Monte "
        f"Carlo, {number(100 * learned, '.2g')} % by {label};\n"
    )
    if "pays_off_below" not in methods["learned"]:
        return f"{text}no error is small enough for what was learned to pay"
    below = number(100 * methods["learned"]["pays_off_below"].value, ".2g")
    rival = metrics["labels"]["methods"][methods["learned"]["rival"]]
    return f"{text}learning pays only below {below} %, else the {rival} takes fewer plays"


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
    """Plays to a stated error; a line leads from those without learning to those with it."""
    look = {"s": 26, "color": style.GREEN, "zorder": 3}
    for name, (y, label) in rows.items():
        plays, playing = plays_needed(methods[name]).value, methods[name]["work"].value / GOAL**2
        told = f"{label}: {number(plays, '.2e')} plays"
        if "learning" in methods[name]:
            axes.plot([playing, plays], [y, y], color=style.GREEN, lw=1)
            axes.scatter(playing, y, marker="D", facecolors="white", **look)
            told += f", {number(playing, '.2e')} without learning"
        axes.scatter(plays, y, marker="D", **look)
        style.mark(axes, plays, y, told)
    axes.set(xscale="log", xlabel="plays")
    title = f"plays to a relative error of {100 * GOAL:g} %; open: learning left out"
    axes.set_title(title, fontsize=9)
