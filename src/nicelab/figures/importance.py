"""The gambler's paths, and the exact error of every constant proposal."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate, number


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Paths under the sheet's proposal; relative error against the win probability."""
    sheet, exact = metrics["methods"]["sheet"], metrics["exact"]
    figure = style.new(
        f"q = {sheet['q']:g} estimates {estimate(sheet['probability'])}; "
        f"exactly {number(exact['probability']['value'], '.4e')}",
        height=3.9,
    )
    left, right = figure.subplots(1, 2)
    target = np.nanmax(arrays["paths"]) if arrays["paths"].size else 0
    for path in arrays["paths"]:
        won = np.nanmax(path) >= target
        left.plot(
            np.arange(1, path.size + 1),
            path,
            lw=0.7,
            alpha=0.8,
            color=style.BLUE if won else style.GREY,
        )
    left.set(xlabel="play", ylabel="balance (chips)")
    left.set_title(f"{len(arrays['paths'])} paths with q = {sheet['q']:g}; blue: target reached")

    right.semilogy(
        arrays["q"],
        100 * arrays["exact_relative_error"],
        color=style.GREY,
        label="exact, for any constant q",
    )
    observed = sheet["relative_error"]
    right.errorbar(
        sheet["q"],
        100 * observed["value"],
        196 * observed["standard_error"],
        fmt="o",
        color=style.BLUE,
        capsize=3,
        ms=5,
        label="observed for the sheet's q, 95 % interval",
    )
    right.plot(
        exact["optimal_q"]["value"],
        100 * exact["optimal_relative_error"]["value"],
        "*",
        color=style.ORANGE,
        ms=11,
        label=f"best constant q = {exact['optimal_q']['value']:.4f}",
    )
    crude = 100 * exact["crude_relative_error"]["value"]
    right.annotate(
        f"crude Monte Carlo, q = p: {crude:.0f} %",
        (arrays["q"][0], crude),
        xytext=(6, 6),
        textcoords="offset points",
        fontsize=8,
    )
    right.set(xlabel="win probability q of the proposal", ylabel="relative error (%)")
    right.set_title(f"relative error with {sheet['probability']['n']} paths")
    right.legend(loc="upper right")
    return figure
