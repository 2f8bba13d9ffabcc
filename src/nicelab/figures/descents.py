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
MARKS = {"sgd": ("o", style.BLUE), "adam": ("s", style.ORANGE)}


def draw(found: GradientsRecord, metrics: Metrics) -> Figure:
    """The excess loss against evaluations under SGD; at the end, of all under both optimisers."""
    labels, budget = metrics["labels"], metrics["budget"]
    figure = style.new(_finding(labels, budget), height=5.2)
    curves, ends = figure.subplots(1, 2)
    for name, colour in SHOWN.items():
        spent = found.spent[f"sgd_{name}"]
        x, y, margin = spent.evaluations, spent.excess, margins(spent.excess_error)
        curves.plot(x, y, color=colour, label=labels["estimators"][name])
        below = np.maximum(y - margin, y.min() / 10)
        curves.fill_between(x, below, y + margin, color=colour, alpha=0.15, lw=0)
    curves.set(xscale="log", yscale="log", xlabel="evaluations of f or its derivative")
    curves.set_ylabel("mean loss above the nearest minimum")
    curves.set_title("SGD, each at the step size that suits it")
    curves.legend(loc="lower left", title="shaded: 95 % interval over runs", alignment="left")
    _ends(ends, labels, budget)
    return figure


def _ends(axes: Axes, labels: Metrics, budget: Metrics) -> None:
    names = list(budget["sgd"])
    for optimiser, (marker, colour) in MARKS.items():
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
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), [labels["estimators"][name] for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", alpha=0.25)
    axes.set(xlabel="mean loss above the nearest minimum")
    axes.set_title(f"after {budget['evaluations']} evaluations, 95 % intervals")
    axes.legend(loc="lower right")


def _finding(labels: Metrics, budget: Metrics) -> str:
    """Which leaves the least loss, beside the score function."""
    said = []
    for optimiser in MARKS:
        of_all = budget[optimiser]
        best = min(of_all, key=lambda name: of_all[name]["excess_loss"].value)
        times = of_all["score"]["excess_loss"].value / of_all[best]["excess_loss"].value
        said.append(
            f"{labels['optimisers'][optimiser]} with {labels['estimators'][best]} "
            f"(1/{number(times, '.0f')} of the score function’s)"
        )
    return "At equal evaluations the least loss is left by\n" + ", ".join(said)
