"""Estimators of the gambler's probability, from the worst to the exact one; and of rarer ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from nicelab.figures import style
from nicelab.formatting import number
from nicelab.importance.records import RareEvent
from nicelab.importance.verdicts import GOAL, plays_needed
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import Estimate

EXACT = {"color": style.GREY, "marker": "|", "s": 160, "label": "exact"}
ABOVE = 0.3  # where the exact errors are marked, in rows

LINE = 88  # letters
LEFT_OUT = 1e3  # relative error from which on a curve is not followed
CURVES = {  # the look of each estimator's curve
    "crude": {"color": style.GREY, "marker": "o"},
    "siegmund": {"color": style.PURPLE, "marker": "v"},
    "sheet": {"color": style.BLUE, "marker": "s"},
    "large_deviation": {"color": style.ORANGE, "marker": "^"},
    "cross_entropy_by_play": {"color": style.ORANGE, "marker": "x", "ls": ":"},
    "learned": {"color": style.GREEN, "marker": "x", "ls": ":"},
    "brownian": {"color": style.GREEN, "marker": "D"},
    "particle_filter": {"color": style.SKY, "marker": "P", "ls": "--"},
    "splitting_by_balance": {"color": style.RED, "marker": "<", "ls": "--"},
    "splitting_by_reach": {"color": style.RED, "marker": ">", "ls": "--"},
    "splitting_adaptive": {"color": style.RED, "marker": "*", "ls": "--"},
}

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
    """Errors and work of each estimator that has any variance; below, in ever rarer games."""
    methods, labels = metrics["methods"], metrics["labels"]["methods"]
    shown = [name for name in labels if methods[name]["work"].value > 0]
    rows = {name: (len(shown) - k, labels[name]) for k, name in enumerate(shown)}
    figure = style.new(finding(metrics), height=10.2)
    above, below = figure.subfigures(2, 1, height_ratios=(5.2, 4.6))
    left, right = above.subplots(1, 2, sharey=True)
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
    _grown(below, found, metrics)
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


def growing(found: RareEvent, metrics: Metrics) -> str:
    """How the relative variance grows with constant proposals, and how far Brownian errors go."""
    labels, methods = metrics["labels"]["methods"], metrics["rarer"]["methods"]
    known = {name: x["limit"].value for name, x in methods.items() if "limit" in x}
    rates = ", ".join(f"{number(abs(x), '.2g')} ({labels[name]})" for name, x in known.items())
    errors = found.growth["brownian"].relative_error(metrics["paths"]).value
    rarest = metrics["rarer"]["games"][-1]["log10_probability"]
    return fill(
        f"Down to a probability of {number(10**rarest, '.0e')}, relative variance grows like 1/I "
        f"to the power β = {rates}; the error of the {labels['brownian']} stays below "
        f"{number(100 * float(errors.max()), '.2g')} %",
        LINE,
    )


def _grown(figure: SubFigure, found: RareEvent, metrics: Metrics) -> None:
    """Relative error and work against the probability, for one game after another."""
    figure.suptitle(growing(found, metrics), x=0.01, ha="left")
    errors, work = figure.subplots(1, 2, sharex=True)
    labels = metrics["labels"]["methods"]
    for name, look in CURVES.items():
        growth, shown = found.growth[name], {"ms": 4, "lw": 1.2, **look}
        error = growth.relative_error(metrics["paths"])
        followed = error.value < LEFT_OUT
        x, y, margin = found.rarity[followed], error.value[followed], error.margin[followed]
        errors.errorbar(x, 100 * y, yerr=100 * margin, **shown, label=labels[name])
        work.plot(x, growth.work[followed] / GOAL**2, **shown)
        told = [f"{labels[name]}: {number(100 * e, '.3g')} %" for e in y]
        for place, e, text in zip(x, y, told, strict=True):
            style.mark(errors, place, 100 * e, text)
    errors.set(yscale="log", xlabel="log₁₀ of the probability", ylabel="relative error (%)")
    errors.set_title(f"{metrics['paths']} paths; bars: 95 % of splitting and filter", fontsize=9)
    work.set(yscale="log", xlabel="log₁₀ of the probability", ylabel="plays")
    work.set_title(f"plays to a relative error of {100 * GOAL:g} %, without learning", fontsize=9)
    errors.invert_xaxis()
    figure.legend(*errors.get_legend_handles_labels(), loc="outside lower left", ncols=3)


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
