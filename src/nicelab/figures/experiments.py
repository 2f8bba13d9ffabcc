"""Experiments side by side, with their intervals."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import t as student_t

from nicelab.comparison.experiments import Experiment, varied
from nicelab.figures import style
from nicelab.statistics import Estimate


def plot(runs: list[Experiment], metrics: tuple[str, ...]) -> Figure:
    """Each metric with its 95 % interval, against the parameter that varies or by run."""
    params = varied(runs)
    numeric = len(params) == 1 and all(
        isinstance(run.params.get(params[0]), int | float) for run in runs
    )
    runs = sorted(runs, key=lambda run: run.params[params[0]]) if numeric else runs
    x = [run.params[params[0]] for run in runs] if numeric else np.arange(len(runs))
    figure = style.new("Experiments side by side", height=2.6 * len(metrics) + 0.6)
    grid = figure.subplots(len(metrics), 1, squeeze=False, sharex=True)[:, 0]
    for axes, name in zip(grid, metrics, strict=True):
        readings = [run.metrics.get(name) for run in runs]
        values, errors, n = (
            np.array([getattr(r, part) if isinstance(r, Estimate) else np.nan for r in readings])
            for part in ("value", "standard_error", "n")
        )
        half = student_t.ppf(0.975, np.maximum(n - 1, 1)) * errors
        axes.errorbar(x, values, half, fmt="o", capsize=3, color=style.BLUE)
        axes.set_title(f"{name}, 95 % interval")
    if numeric:
        grid[-1].set_xlabel(params[0])
        if min(x) > 0 and max(x) > 20 * min(x):
            grid[-1].set_xscale("log")
        elif all(isinstance(value, int) for value in x):
            grid[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        grid[-1].set_xticks(x, [run.name for run in runs], rotation=30, ha="right")
    return figure
