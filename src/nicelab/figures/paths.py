"""Paths of the gambler under each proposal, on the one that has no variance."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.figures.methods import METHODS

COLUMNS = 5
MISSED = "#303030"


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Balance against play; the colour says how Doob's transform would play there."""
    shown = [name for name in METHODS if f"paths_{name}" in arrays]
    ticks, optimal = arrays["ticks"], np.ma.masked_invalid(arrays["optimal"])
    target = optimal.shape[1] - 1
    rows = -(-len(shown) // COLUMNS)
    figure = style.new(
        "A good proposal plays as if the target had been reached: harder, the later it is.\n"
        "Orange paths reach it, dark ones stop where it is out of reach or are ruined",
        height=2.3 * rows,
    )
    grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True)
    edges = np.arange(target + 2) - 0.5
    for axes, name in zip(grid.flat, shown, strict=False):
        mesh = axes.pcolormesh(ticks, edges, optimal.T, cmap="YlGnBu", vmin=0.5, vmax=1)
        paths = arrays[f"paths_{name}"]
        for path, hit in zip(paths, (paths == target).any(1), strict=True):
            axes.plot(ticks, path, lw=0.6, color=style.RED if hit else MISSED, alpha=0.8)
        share = metrics["methods"][name]["hits"] / metrics["paths"]
        axes.set_title(f"{METHODS[name]}\n{100 * share:.3g} % of paths hit", fontsize=8)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    seen = np.concatenate([arrays[f"paths_{name}"] for name in shown])
    grid.flat[0].set(xlim=(0, ticks[-1]), ylim=(np.nanmin(seen, initial=target) - 5, target + 2))
    figure.supxlabel("play", fontsize=9)
    figure.supylabel("balance (chips)", fontsize=9)
    figure.colorbar(mesh, ax=grid, label="win probability under Doob's transform", shrink=0.8)
    return figure
