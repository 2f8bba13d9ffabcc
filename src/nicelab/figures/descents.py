"""SGD and Adam with every unbiased estimator, at equal evaluations of f."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import number
from nicelab.gradients.records import GradientsRecord
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import margins

SHOWN = {  # over the evaluations
    "score": style.BLUE,
    "score_leave_one_out": style.SKY,
    "measure_valued": style.ORANGE,
    "pathwise": style.GREEN,
    "pathwise_stratified": style.RED,
}
MARKS = {"sgd": ("o", style.BLUE, "-"), "adam": ("s", style.ORANGE, "--")}


def draw(found: GradientsRecord, metrics: Metrics) -> Figure:
    """The excess loss against evaluations, and at the end of all, under both optimisers."""
    labels, budget = metrics["labels"], metrics["budget"]
    figure = style.new(_finding(labels, budget), height=5.6)
    curves, ends = figure.subplots(1, 2)
    _curves(curves, found, labels, budget)
    _ends(ends, labels, budget)
    return figure


def _curves(axes: Axes, found: GradientsRecord, labels: Metrics, budget: Metrics) -> None:
    for name, colour in SHOWN.items():
        for optimiser, (_, _, line) in MARKS.items():
            spent = found.spent[f"{optimiser}_{name}"]
            x, (y, error) = spent.evaluations, spent.at(budget[optimiser][name]["learning_rate"])
            label = labels["estimators"][name] if optimiser == "sgd" else None
            axes.plot(x, y, line, color=colour, lw=1.3, label=label)
            below, above = np.maximum(y - margins(error), y.min() / 10), y + margins(error)
            axes.fill_between(x, below, above, color=colour, alpha=0.13, lw=0)
    axes.set(xscale="log", yscale="log", xlabel="evaluations of f or its derivative")
    axes.set_ylabel("mean loss above the minimum")
    lines = zip(("solid", "dashed"), labels["optimisers"].values(), strict=True)
    said = ", ".join(f"{line}: {optimiser}" for line, optimiser in lines)
    axes.set_title(f"{said}; each at the step size that suits it")
    axes.legend(loc="lower left", title="shaded: 95 % interval over runs", alignment="left")


def _ends(axes: Axes, labels: Metrics, budget: Metrics) -> None:
    names = list(budget["sgd"])
    for optimiser, (marker, colour, _) in MARKS.items():
        excess = [budget[optimiser][name]["excess_loss"] for name in names]
        axes.errorbar(
            [x.value for x in excess],
            np.arange(len(names)),
            xerr=[x.margin for x in excess],
            fmt=marker,
            ms=4.5,
            mfc="none",
            color=colour,
            label=labels["optimisers"][optimiser],
        )
    floors = {k: x["floor"].value for k, x in enumerate(budget["sgd"].values()) if "floor" in x}
    rows, places = list(floors), list(floors.values())
    axes.plot(places, rows, "|", color="black", ms=9, label="floor of SGD, by theory")
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), [labels["estimators"][name] for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", alpha=0.25)
    axes.set(xlabel="mean loss above the minimum")
    axes.set_title(f"after {budget['evaluations']} evaluations, 95 % intervals")
    axes.legend(loc="upper center", bbox_to_anchor=(0.3, -0.1), ncols=3)


def _finding(labels: Metrics, budget: Metrics) -> str:
    """Which leaves the least loss, beside the score function."""
    lines = ["At equal evaluations the least loss is left by"]
    for optimiser in MARKS:
        of_all = budget[optimiser]
        best = min(of_all, key=lambda name: of_all[name]["excess_loss"].value)
        times = of_all["score"]["excess_loss"].value / of_all[best]["excess_loss"].value
        lines.append(
            f"{labels['optimisers'][optimiser]} with {labels['estimators'][best]} "
            f"(1/{number(times, '.0f')} of the score function’s)"
        )
    return "\n".join(lines)
