"""Paths of the gambler under each proposal, on the one that has no variance."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.importance.records import RareEvent
from nicelab.pipeline.metrics import Metrics

COLUMNS = 4
MISSED = "#303030"


def draw(found: RareEvent, metrics: Metrics) -> Figure:
    """Balance against play; the colour says how Doob's transform would play there."""
    shown = {k: label for k, label in metrics["labels"]["methods"].items() if k in found.walks}
    rows = -(-len(shown) // COLUMNS)
    figure = style.new(
        "A good proposal plays as if the target had been reached: harder, the later it is.\n"
        "Orange paths reach it, dark ones stop where it is out of reach or are ruined",
        height=2.3 * rows,
    )
    grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True)
    for axes, (name, label) in zip(grid.flat, shown.items(), strict=False):
        mesh = _panel(axes, found, found.walks[name].paths)
        share = metrics["methods"][name]["hits"] / metrics["paths"]
        axes.set_title(f"{label}\n{100 * share:.3g} % of paths hit", fontsize=8)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    target = found.optimal.shape[1] - 1
    low = min(np.nanmin(found.walks[name].paths, initial=target) for name in shown)
    grid.flat[0].set(xlim=(0, found.ticks[-1]), ylim=(low - 5, target + 2))
    figure.supxlabel("play", fontsize=9)
    figure.supylabel("balance (chips)", fontsize=9)
    figure.colorbar(mesh, ax=grid, label="win probability under Doob's transform", shrink=0.8)
    return figure


def _panel(axes: Axes, found: RareEvent, paths: np.ndarray) -> QuadMesh:
    """The paths of one proposal on the backdrop."""
    optimal = np.ma.masked_invalid(found.optimal)
    target = optimal.shape[1] - 1
    edges = np.arange(target + 2) - 0.5
    mesh = axes.pcolormesh(found.ticks, edges, optimal.T, cmap="YlGnBu", vmin=0.5, vmax=1)
    for path, hit in zip(paths, (paths == target).any(1), strict=True):
        axes.plot(found.ticks, path, lw=0.6, color=style.RED if hit else MISSED, alpha=0.8)
    return mesh
