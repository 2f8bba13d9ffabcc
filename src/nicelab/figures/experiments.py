"""Experiments side by side, with their intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nicelab.figures import style


def draw(
    runs: Sequence[str],
    intervals: Mapping[str, tuple[np.ndarray, np.ndarray]],
    parameter: tuple[str, Sequence[float]] | None,
) -> Figure:
    """Each metric against the parameter that varies, or by run.

    Args:
        runs: their names.
        intervals: by metric, values and half widths of 95 % intervals, both (runs,).
        parameter: name and values, increasing, of the one that varies, if it is one number.
    """
    figure = style.new("Experiments side by side", height=2.6 * len(intervals) + 0.6)
    grid = figure.subplots(len(intervals), 1, squeeze=False, sharex=True)[:, 0]
    x = parameter[1] if parameter else np.arange(len(runs))
    for axes, (metric, (values, half)) in zip(grid, intervals.items(), strict=True):
        axes.errorbar(x, values, half, fmt="o", capsize=3, color=style.BLUE)
        axes.set_title(f"{metric}, 95 % interval")
    if parameter:
        _scale(grid[-1], *parameter)
    else:
        grid[-1].set_xticks(x, runs, rotation=30, ha="right")
    return figure


def _scale(axes: Axes, name: str, values: Sequence[float]) -> None:
    """An axis for a parameter: logarithmic for a wide range, else whole numbers for such."""
    axes.set_xlabel(name)
    if min(values) > 0 and max(values) > 20 * min(values):
        axes.set_xscale("log")
    elif all(isinstance(value, int) for value in values):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
