"""Weights of the paths that reach the target, under each proposal."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.figures.methods import METHODS

COLUMNS = 5
BINS = 80


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Histograms of log₁₀ w / I, one for each proposal of which some path hits."""
    relative = {name: arrays[f"relative_{name}"] for name in METHODS
                if f"relative_{name}" in arrays and arrays[f"relative_{name}"].any()}  # fmt: skip
    logs = {name: np.log10(x[x > 0]) for name, x in relative.items()}
    low, high = (f(f(x) for x in logs.values()) for f in (min, max))
    rows = -(-len(logs) // COLUMNS)
    figure = style.new(
        "The better the proposal, the more paths hit, and the nearer each weight is to I itself",
        height=2.1 * rows,
    )
    grid = np.atleast_2d(figure.subplots(rows, COLUMNS, sharex=True))
    for axes, (name, x) in zip(grid.flat, logs.items(), strict=False):
        n = len(relative[name])
        axes.axvline(0, color=style.ORANGE, lw=1)
        axes.hist(x, np.linspace(low - 0.1, high + 0.1, BINS), color=style.BLUE,
                  weights=np.full(len(x), 1 / n))  # fmt: skip
        axes.set_title(f"{METHODS[name]}\n{100 * len(x) / n:.3g} % of paths hit", fontsize=8)
        axes.tick_params(labelsize=8)
    for axes in grid.flat[len(logs) :]:
        axes.set_axis_off()
    figure.supxlabel("log₁₀(w / I) of the paths that hit; at the line each is exact", fontsize=9)
    figure.supylabel("share of paths", fontsize=9)
    return figure
