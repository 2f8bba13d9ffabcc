"""Estimators of the gambler's probability, from the worst to the exact one."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.figures.methods import METHODS
from nicelab.formatting import number

EXACT = {"color": style.GREY, "marker": "|", "s": 160, "label": "exact"}
OBSERVED = {"fmt": "o", "ms": 5, "capsize": 3, "color": style.BLUE,
            "label": "observed, 95 % interval"}  # fmt: skip
REPEATED = {"fmt": "D", "ms": 4, "capsize": 3, "color": style.ORANGE,
            "label": "over replicates, 95 % interval"}  # fmt: skip


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Exact and observed relative error, and work, of each estimator that has any variance."""
    methods = metrics["methods"]
    shown = [name for name in METHODS if methods[name]["work"]["value"] > 0]
    first, last = (methods[name]["exact_relative_error"]["value"] for name in ("crude", "learned"))
    figure = style.new(
        f"{metrics['paths']} paths: a proposal that has learned play and balance divides the "
        f"relative\nerror of crude Monte Carlo by {first / last:.0f}",
        height=4.8,
    )
    left, right = figure.subplots(1, 2, sharey=True)
    rows = {name: len(shown) - k for k, name in enumerate(shown)}
    exact = {name: methods[name]["exact_relative_error"]["value"]
             for name in shown if "exact_relative_error" in methods[name]}  # fmt: skip
    left.scatter([100 * x for x in exact.values()], [rows[name] for name in exact], **EXACT)
    for kind, offset, entries in (
        (OBSERVED, 0.0, methods),
        (REPEATED, -0.3, {name: method.get("replicated", {}) for name, method in methods.items()}),
    ):
        found = {name: entries[name]["relative_error"]
                 for name in shown if "relative_error" in entries[name]}  # fmt: skip
        left.errorbar(
            [100 * x["value"] for x in found.values()],
            [rows[name] + offset for name in found],
            xerr=[196 * x["standard_error"] for x in found.values()],
            ls="none", **kind,
        )  # fmt: skip
        for name, x in found.items():
            value, error = (number(100 * x[part], ".2g") for part in ("value", "standard_error"))
            text = f"{METHODS[name]}, {kind['label'].split(',')[0]}: {value} ± {error} %"
            style.mark(left, 100 * x["value"], rows[name] + offset, text)
    for name, x in exact.items():
        style.mark(
            left, 100 * x, rows[name] + 0.3, f"{METHODS[name]}, exact: {number(100 * x, '.3g')} %"
        )
    left.set(xscale="log", xlabel="relative error (%)")
    left.set_yticks(list(rows.values()), [METHODS[name] for name in shown])
    left.set_title("no observed error: fewer than two paths hit", fontsize=9)
    left.legend(loc="lower right")
    work = [methods[name]["work"]["value"] for name in shown]
    right.scatter(work, list(rows.values()), marker="D", s=26, color=style.GREEN)
    for name, x in zip(shown, work, strict=True):
        style.mark(right, x, rows[name], f"{METHODS[name]}: {number(x, '.2e')} plays")
    right.set(xscale="log", xlabel="relative variance × plays")
    right.set_title("plays that a relative error of 100 % costs", fontsize=9)
    for axes in (left, right):
        axes.grid(axis="y", color="#e5e5e5", lw=0.8)
        axes.set_axisbelow(True)
    return figure
