"""Running estimates, and the exact error of every constant proposal."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.figures.methods import METHODS
from nicelab.formatting import estimate, number

RUNNING = {"siegmund": style.PURPLE, "sheet": style.BLUE, "variance_optimal": style.ORANGE,
           "brownian": style.GREEN}  # fmt: skip


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Estimates against the number of paths; relative error against the win probability."""
    sheet, exact = metrics["methods"]["sheet"], metrics["exact"]
    figure = style.new(
        f"q = {sheet['q']:g} estimates {estimate(sheet['probability'])}; "
        f"exactly {number(exact['probability']['value'], '.4e')}",
        height=4.2,
    )
    left, right = figure.subplots(1, 2)
    _running(left, arrays)
    _errors(right, arrays, metrics)
    return figure


def _running(axes: Axes, arrays: dict[str, np.ndarray]) -> None:
    for name, colour in RUNNING.items():
        relative = arrays[f"relative_{name}"]
        n = np.unique(np.geomspace(min(10, len(relative)), len(relative), 200).astype(int))
        first, second = (np.cumsum(relative**power)[n - 1] / n for power in (1, 2))
        error = 1.96 * np.sqrt(np.maximum(second - first**2, 0) / (n - 1))
        axes.plot(n, first, color=colour, lw=1.2, label=METHODS[name])
        axes.fill_between(n, first - error, first + error, color=colour, alpha=0.2, lw=0)
    axes.axhline(1, color=style.GREY, ls=":", lw=1.2)
    axes.set(xscale="log", ylim=(0, 2.4), xlabel="paths", ylabel="estimate / exact probability")
    axes.set_title("running estimates with 95 % bands")
    axes.legend(loc="upper left", ncols=2)


def _errors(axes: Axes, arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> None:
    sheet, exact = metrics["methods"]["sheet"], metrics["exact"]
    q = arrays["q"]
    axes.plot(q, 100 * arrays["exact_relative_error"], color=style.GREY, label="exact")
    axes.plot(q, 100 * arrays["defensive_relative_error"], color=style.ORANGE, ls="--", lw=1.2,
              label="exact, defensive mixture")  # fmt: skip
    observed = arrays["observed_relative_error"]
    axes.errorbar(arrays["coverage_q"], 100 * observed,
                  196 * arrays["observed_relative_error_standard_error"], fmt="o", ms=3, lw=1,
                  capsize=1.5, color=style.BLUE, label="observed, 95 % interval")  # fmt: skip
    expected = np.interp(arrays["coverage_q"], q, np.log(arrays["exact_relative_error"]))
    for x, seen, log_exact in zip(arrays["coverage_q"], observed, expected, strict=True):
        if np.isfinite(seen):
            percent = number(100 * np.exp(log_exact), ".2g")
            text = f"q = {x:.3f}: observed {number(100 * seen, '.2g')} %, exact {percent} %"
            style.mark(axes, x, 100 * seen, text)
    best = exact["optimal_q"]["value"], 100 * exact["optimal_relative_error"]["value"]
    axes.plot(*best, "*", color=style.ORANGE, ms=11, label=f"best, q = {best[0]:.4f}")
    axes.axvline(sheet["q"], color=style.GREY, lw=0.8)
    axes.annotate("the sheet's q", (sheet["q"], 0.98), xycoords=("data", "axes fraction"),
                  xytext=(3, 0), textcoords="offset points", va="top", fontsize=8)  # fmt: skip
    crude = 100 * exact["crude_relative_error"]["value"]
    axes.annotate(f"crude: {crude:.0f} %", (q[0], crude), xytext=(-2, 6),
                  textcoords="offset points", fontsize=8)  # fmt: skip
    axes.set(yscale="log", xlabel="win probability q of the proposal", ylabel="relative error (%)")
    low = np.nanmin(observed)
    axes.set_ylim(30 * low, 3e4 * crude)
    axes.set_title(f"relative error with {metrics['paths']} paths")
    axes.legend(loc="upper right", bbox_to_anchor=(0.84, 0.93))
