"""Running estimates, and the exact error of every constant proposal."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate, number
from nicelab.importance.records import RareEvent
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import running_means

RUNNING = {
    "siegmund": style.PURPLE,
    "sheet": style.BLUE,
    "variance_optimal": style.ORANGE,
    "brownian": style.GREEN,
}


def draw(found: RareEvent, metrics: Metrics) -> Figure:
    """Estimates against the number of paths; relative error against the win probability."""
    sheet, exact = metrics["methods"]["sheet"], metrics["exact"]
    figure = style.new(
        f"q = {sheet['q']:g} estimates {estimate(sheet['probability'])}; "
        f"exactly {number(exact['probability'].value, '.4e')}",
        height=4.2,
    )
    left, right = figure.subplots(1, 2)
    _running(left, found, metrics)
    _exact_errors(right, found, metrics)
    _observed_errors(right, found)
    _marks(right, found, metrics)
    right.set(
        yscale="log", xlabel="win probability q of the proposal", ylabel="relative error (%)"
    )
    low, crude = np.nanmin(found.observed.value), exact["crude_relative_error"].value
    right.set_ylim(30 * low, 3e6 * crude)
    right.set_title(f"relative error with {metrics['paths']} paths")
    right.legend(loc="upper right", bbox_to_anchor=(0.84, 0.93))
    return figure


def _running(axes: Axes, found: RareEvent, metrics: Metrics) -> None:
    for name, colour in RUNNING.items():
        n, means = running_means(found.walks[name].relative)
        low, high = zip(*(x.interval() for x in means), strict=True)
        label = metrics["labels"]["methods"][name]
        axes.plot(n, [x.value for x in means], color=colour, lw=1.2, label=label)
        axes.fill_between(n, low, high, color=colour, alpha=0.2, lw=0)
    axes.axhline(1, color=style.GREY, ls=":", lw=1.2)
    axes.set(xscale="log", ylim=(0, 2.4), xlabel="paths", ylabel="estimate / exact probability")
    axes.set_title("running estimates with 95 % bands")
    axes.legend(loc="upper left", ncols=2)


def _exact_errors(axes: Axes, found: RareEvent, metrics: Metrics) -> None:
    defensive = f"exact, {metrics['labels']['methods']['defensive']}"
    exact, mixed = (100 * x for x in (found.exact_relative_error, found.defensive_relative_error))
    axes.plot(found.q, exact, color=style.GREY, label="exact")
    axes.plot(found.q, mixed, color=style.ORANGE, ls="--", lw=1.2, label=defensive)


def _observed_errors(axes: Axes, found: RareEvent) -> None:
    observed, margin = 100 * found.observed.value, 100 * found.observed.margin
    look = {"fmt": "o", "ms": 3, "lw": 1, "capsize": 1.5, "color": style.BLUE}
    axes.errorbar(found.coverage_q, observed, margin, **look, label="observed, 95 % interval")
    for q, seen, exact in zip(found.coverage_q, observed, 100 * found.expected, strict=True):
        if np.isfinite(seen):
            there, here = (number(x, ".2g") for x in (exact, seen))
            style.mark(axes, q, seen, f"q = {q:.3f}: observed {here} %, exact {there} %")


def _marks(axes: Axes, found: RareEvent, metrics: Metrics) -> None:
    """The best q, the sheet's, and p itself."""
    exact, sheet = metrics["exact"], metrics["methods"]["sheet"]["q"]
    best, least = exact["optimal_q"].value, 100 * exact["optimal_relative_error"].value
    axes.plot(best, least, "*", color=style.ORANGE, ms=11, label=f"best, q = {best:.4f}")
    axes.axvline(sheet, color=style.GREY, lw=0.8)
    near = {"textcoords": "offset points", "fontsize": 8}
    top = {"xy": (sheet, 0.98), "xycoords": ("data", "axes fraction"), "va": "top"}
    axes.annotate(metrics["labels"]["methods"]["sheet"], **top, xytext=(3, 0), **near)
    crude = 100 * exact["crude_relative_error"].value
    axes.annotate(f"crude: {crude:.0f} %", (found.q[0], crude), xytext=(-2, 6), **near)
