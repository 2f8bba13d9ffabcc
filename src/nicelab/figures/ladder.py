"""Estimators of the gambler's probability, from the worst to the exact one."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style

METHODS = {
    "crude": "crude Monte Carlo",
    "siegmund": "Siegmund's tilt, q = 1 − p",
    "sheet": "the sheet's q",
    "cross_entropy": "cross-entropy, constant q",
    "variance_optimal": "best constant q",
    "cross_entropy_by_play": "cross-entropy, q by play",
    "brownian": "Brownian h-transform",
    "learned": "learned by play and balance",
    "doob": "Doob's h-transform",
}


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Exact and observed relative error, and work, of each estimator that has any variance."""
    methods = metrics["methods"]
    shown = [name for name in METHODS if methods[name]["exact_relative_error"]["value"] > 0]
    first, last = (
        methods[name]["exact_relative_error"]["value"] for name in (shown[0], shown[-1])
    )
    figure = style.new(
        f"{metrics['paths']} paths: a proposal that knows play and balance divides the relative\n"
        f"error of crude Monte Carlo by {first / last:.0f}",
        height=4.4,
    )
    left, right = figure.subplots(1, 2, sharey=True)
    rows = np.arange(len(shown))[::-1]
    exact = [100 * methods[name]["exact_relative_error"]["value"] for name in shown]
    left.scatter(exact, rows, marker="|", s=160, color=style.GREY, label="exact")
    for row, name in zip(rows, shown, strict=True):
        observed = methods[name].get("relative_error")
        if observed:
            left.errorbar(
                100 * observed["value"], row, xerr=196 * observed["standard_error"], fmt="o", ms=5,
                capsize=3, color=style.BLUE,
                label="observed, 95 % interval" if name == shown[-1] else None,
            )  # fmt: skip
    left.set(xscale="log", xlabel="relative error (%)")
    left.set_yticks(rows, [METHODS[name] for name in shown])
    left.set_title("no observed error: no path reached the target", fontsize=9)
    left.legend(loc="lower right")
    work = [methods[name]["work"]["value"] for name in shown]
    right.scatter(work, rows, marker="D", s=26, color=style.ORANGE)
    right.set(xscale="log", xlabel="relative variance × plays of a path")
    right.set_title("plays that an error of 100 % costs", fontsize=9)
    for axes in (left, right):
        axes.grid(axis="y", color="#e5e5e5", lw=0.8)
        axes.set_axisbelow(True)
    return figure
