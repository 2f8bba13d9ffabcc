"""Bias and cost of gradient estimators where variables are discrete."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.discrete.records import DiscreteRecord, Judged
from nicelab.figures import style
from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import margins


def draw(found: DiscreteRecord, metrics: Metrics) -> Figure:
    """A panel for each problem: the work of every estimator, and what a bias makes of it."""
    labels = metrics["labels"]
    figure = style.new(_finding(found, metrics), height=4.4)
    panels = figure.subplots(1, len(labels["problems"]), sharey=True)
    for axes, (problem, label) in zip(panels, labels["problems"].items(), strict=True):
        _panel(axes, found, found.problems[problem], metrics["problems"][problem])
        axes.set_title(label)
    rows = np.arange(len(found.names))
    panels[0].set_yticks(rows, [labels["estimators"][name] for name in found.names])
    panels[0].set_ylim(rows[-1] + 0.6, -0.6)
    panels[len(panels) // 2].set_xlabel("evaluations of f for an error as large as the gradient")
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=len(texts))
    return figure


def _panel(axes: Axes, found: DiscreteRecord, judged: Judged, metrics: Metrics) -> None:
    rows = np.arange(len(found.names))
    biased = np.array([metrics[name]["convicted"] for name in found.names])
    for some, colour, face, label in (
        (~biased, style.BLUE, style.BLUE, "no bias found, 95 % interval"),
        (
            biased,
            style.RED,
            "white",
            "biased; the number: its mean along the gradient, 1 is right",
        ),
    ):
        axes.errorbar(
            judged.work[some],
            rows[some],
            xerr=margins(judged.error[some]),
            fmt="o",
            ms=5,
            color=colour,
            markerfacecolor=face,
            capsize=2,
            label=label,
        )
    known = np.isfinite(judged.exact)
    axes.plot(judged.exact[known], rows[known], "|", ms=13, color="black", label="exact", zorder=0)
    axes.set_xscale("log")
    middle = np.sqrt(np.prod(axes.get_xlim()))
    for row in rows[biased]:
        along, x = metrics[str(found.names[row])]["along"].value, judged.work[row]
        right = x < middle
        axes.annotate(
            number(along, ".2f"),
            (x, row),
            xytext=(8 if right else -8, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=8,
            color=style.RED,
        )
    axes.grid(axis="y", alpha=0.25)


def _finding(found: DiscreteRecord, metrics: Metrics) -> str:
    """What takes the least without a bias, and how far a bias leads astray at worst."""
    labels, problems = metrics["labels"]["estimators"], metrics["problems"]
    best = []
    for problem, judged in found.problems.items():
        biased = [problems[problem][name]["convicted"] for name in found.names]
        best.append(labels[str(found.names[np.where(biased, np.inf, judged.work).argmin()])])
    alone = len(set(best)) == 1
    finding = (
        f"Of what shows no bias, the least is taken by: {best[0] if alone else ', '.join(best)}"
    )
    along = [
        (entry["along"].value, labels[name])
        for of_problem in problems.values()
        for name, entry in of_problem.items()
        if entry["convicted"]
    ]
    if not along:
        return finding
    worst, label = min(along)
    against = "against the gradient" if worst < 0 else "along the gradient"
    return (
        f"{finding};\nat its worst {label} goes {number(abs(worst), '.2f')} times as far {against}"
    )
