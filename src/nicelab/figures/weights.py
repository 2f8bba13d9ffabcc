"""Weights of the paths that reach the target, under each proposal."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.importance.records import RareEvent
from nicelab.importance.verdicts import more_hits_with_less_error
from nicelab.pipeline.metrics import Metrics

COLUMNS = 5
BINS = 80


def draw(found: RareEvent, metrics: Metrics) -> Figure:
    """Histograms of log₁₀ w / I, one for each proposal of which some path hits."""
    labels = metrics["labels"]["methods"]
    walks = [(labels[name], found.walks[name]) for name in labels if name in found.walks]
    shown = [
        (label, walk.log10_weights, walk.hit_share) for label, walk in walks if walk.hit_share
    ]
    low, high = (f(f(logs) for _, logs, _ in shown) for f in (min, max))
    edges = np.linspace(low - 0.1, high + 0.1, BINS)
    rows = -(-len(shown) // COLUMNS)
    figure = style.new(_finding(metrics), height=2.1 * rows)
    grid = np.atleast_2d(figure.subplots(rows, COLUMNS, sharex=True))
    for axes, (label, logs, share) in zip(grid.flat, shown, strict=False):
        _histogram(axes, logs, share, edges)
        axes.set_title(f"{label}\n{100 * share:.3g} % of paths hit", fontsize=8)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    figure.supxlabel("log₁₀(w / I) of the paths that hit; at the line each is exact", fontsize=9)
    figure.supylabel("share of paths", fontsize=9)
    return figure


def _finding(metrics: Metrics) -> str:
    if more_hits_with_less_error(metrics["methods"]):
        return "From the largest error to the smallest, proposals make more and more paths hit"
    return "From the largest error to the smallest; a proposal with fewer hits may be the better"


def _histogram(axes: Axes, logs: np.ndarray, share: float, edges: np.ndarray) -> None:
    """Bars that add up to the share of paths that hit."""
    axes.axvline(0, color=style.ORANGE, lw=1)
    axes.hist(logs, edges, color=style.BLUE, weights=np.full(len(logs), share / len(logs)))
    axes.tick_params(labelsize=8)
