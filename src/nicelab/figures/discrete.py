"""Bias and cost of gradient estimators where variables are discrete."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.discrete.records import DiscreteRecord, Judged
from nicelab.figures import style
from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import margins

FARTHEST = 2000.0  # standard errors; what is farther is drawn there
TICKS = {-1000: "−10³", -100: "", -10: "−10", 0: "0", 10: "10", 100: "", 1000: "10³"}
TITLE = 88  # characters in a line


def draw(found: DiscreteRecord, metrics: Metrics) -> Figure:
    """A column for each problem: the work of every estimator, and a test of its bias."""
    labels = metrics["labels"]
    figure = style.new(_finding(found, metrics), height=8.4)
    panels = figure.subplots(2, len(labels["problems"]), sharey=True)
    for (work, bias), (problem, label) in zip(panels.T, labels["problems"].items(), strict=True):
        judged = found.problems[problem]
        _work(work, found, judged, metrics["problems"][problem])
        _bias(bias, judged)
        work.set_title(label)
    rows = np.arange(len(found.names))
    for row in panels:
        row[0].set_yticks(rows, [labels["estimators"][name] for name in found.names])
    panels[0, 0].set_ylim(rows[-1] + 0.6, -0.6)
    middle = panels[:, panels.shape[1] // 2]
    middle[0].set_xlabel("evaluations of f for an error as large as the gradient")
    middle[1].set_xlabel(
        "error of the mean in standard errors, a dot for each component; beyond the dotted lines "
        "is proof"
    )
    handles, texts = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=len(texts))
    return figure


def _work(axes: Axes, found: DiscreteRecord, judged: Judged, metrics: Metrics) -> None:
    rows, biased = np.arange(len(found.names)), judged.convicted()
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
    known = np.isfinite(judged.exact) & (judged.exact > 0)
    axes.plot(judged.exact[known], rows[known], "|", ms=13, color="black", label="exact", zorder=0)
    axes.set_xscale("log")
    axes.grid(axis="y", alpha=0.25)
    middle = np.sqrt(np.prod(axes.get_xlim()))
    for row in rows[biased]:
        right = judged.work[row] < middle
        axes.annotate(
            number(_along(metrics[str(found.names[row])]), ".2f"),
            (judged.work[row], row),
            xytext=(8 if right else -8, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=8,
            color=style.RED,
        )


def _bias(axes: Axes, judged: Judged) -> None:
    bound = judged.bounds.max()
    for row, (scores, biased) in enumerate(zip(judged.z_scores, judged.convicted(), strict=True)):
        shown = np.clip(scores[~np.isnan(scores)], -FARTHEST, FARTHEST)
        colour = style.RED if biased else style.BLUE
        axes.plot(shown, np.full(len(shown), row), "o", ms=3, color=colour, alpha=0.4, ls="none")
    for edge in (-bound, bound):
        axes.axvline(edge, color=style.GREY, lw=1, ls=":")
    axes.set_xscale("symlog", linthresh=bound)
    axes.set_xlim(-1.5 * FARTHEST, 1.5 * FARTHEST)
    axes.set_xticks(list(TICKS), TICKS.values())
    axes.grid(axis="y", alpha=0.25)


def _along(metrics: Metrics) -> float:
    """Of a mean along the gradient: exactly, where that is known."""
    return metrics.get("exact_along", metrics["along"]).value


def _finding(found: DiscreteRecord, metrics: Metrics) -> str:
    """What takes the least without a bias, and how far a bias leads astray at worst."""
    labels, problems = metrics["labels"], metrics["problems"]
    best: dict[str, list[str]] = {}
    biased = []
    for problem, judged in found.problems.items():
        convicted = judged.convicted()
        least = found.names[np.where(convicted, np.inf, judged.work).argmin()]
        best.setdefault(labels["estimators"][str(least)], []).append(labels["problems"][problem])
        for name in map(str, found.names[convicted]):
            biased.append((_along(problems[problem][name]), labels["estimators"][name]))
    said = [
        "the fewest evaluations without a bias that shows: "
        + "; ".join(f"{label} ({' and '.join(on)})" for label, on in best.items())
    ]
    if biased:
        worst, label = min(biased)
        against = "against the gradient" if worst < 0 else "along the gradient"
        said.append(
            f"at its worst {label} goes {number(abs(worst), '.2f')} times as far {against}"
        )
    text = "; ".join(said)
    return fill(text[0].upper() + text[1:], TITLE)
