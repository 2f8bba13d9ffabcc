"""What a flow loses with each of its parts."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.ablation.records import Ablation
from nicelab.figures import style
from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics

LINEAR = 10.0  # nats, to either side of 0; beyond, the axis is logarithmic


def draw(found: Ablation, metrics: Metrics) -> Figure:
    """Every training beside the mean of the complete flow, and the intervals of the means."""
    first, *others = metrics["rungs"]
    complete = metrics["rungs"][first]["log_likelihood"].value
    figure = style.new(_finding(metrics), height=1.1 + 0.45 * len(found.nats))
    axes = figure.subplots()
    for row, (rung, nats) in enumerate(found.nats.items()):
        colour = style.GREY if rung == first else style.BLUE
        axes.plot(nats - complete, np.full(len(nats), row), "o", ms=4, mfc="none", color=colour)
    ends = np.array([metrics["rungs"][rung]["interval"] for rung in others]).T
    means = np.array([metrics["rungs"][rung]["less_complete"].value for rung in others])
    axes.errorbar(
        means,
        np.arange(len(others)) + 1.25,
        xerr=abs(ends - means),
        fmt="|",
        ms=9,
        capsize=3,
        color=style.RED,
        label="mean with 95 % intervals for all differences together (Dunnett)",
    )
    _axes(axes, metrics)
    figure.legend(loc="outside lower center")
    return figure


def _finding(metrics: Metrics) -> str:
    rungs = metrics["rungs"]
    changed = {name: rung for name, rung in rungs.items() if "less_complete" in rung}
    worst = min(changed.values(), key=lambda rung: rung["less_complete"].value)
    less = worst["less_complete"].value
    return (
        f"{metrics['flow']} on {metrics['dataset']}, {metrics['epochs']} epochs: most is lost "
        f"with {worst['label']}, {number(abs(less), '.0f')} nats"
    )


def _axes(axes: Axes, metrics: Metrics) -> None:
    rungs = metrics["rungs"].values()
    axes.axvline(0, color=style.GREY, lw=0.8, zorder=0)
    axes.set_xscale("symlog", linthresh=LINEAR)
    ticks = [-300, -100, -30, -10, -5, 0, 5, 10]
    axes.set_xticks(ticks, [f"{x:g}".replace("-", "−") for x in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rungs)), [rung["label"] for rung in rungs])
    axes.invert_yaxis()
    axes.set_xlabel(
        "log-likelihood of validation images less that of the complete flow (nats; linear to ±10)"
    )
