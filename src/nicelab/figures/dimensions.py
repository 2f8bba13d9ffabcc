"""What the accuracy of a gradient costs against the number of dimensions."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.dimensions.records import DimensionsRecord, Growth, name
from nicelab.figures import style
from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import margins

LOOKS = {  # of a family: colour, and the marker of what is measured
    "score": (style.BLUE, "o"),
    "score_leave_one_out": (style.SKY, "s"),
    "measure_valued": (style.ORANGE, "^"),
    "pathwise": (style.GREEN, "D"),
}
TOLD = "sheet"  # the objective that the title speaks of


def draw(found: DimensionsRecord, metrics: Metrics) -> Figure:
    """A panel for each objective: work of every family against d, exact lines, measured dots."""
    objectives, labels = metrics["labels"]["objectives"], metrics["labels"]["estimators"]
    figure = style.new(_finding(found, metrics), height=4.3)
    panels = figure.subplots(1, len(objectives), sharex=True)
    for axes, (objective, label) in zip(panels, objectives.items(), strict=True):
        for estimator, (colour, marker) in LOOKS.items():
            growth = found.growth[name(objective, estimator)]
            _growth(axes, growth, colour, marker, labels[estimator])
        axes.set(xscale="log", yscale="log", xlabel="dimensions d")
        axes.set_title(f"f = {label}" if objective != "logistic" else label)
    panels[0].set_ylabel("evaluations of f for an error\nas large as the gradient")
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        texts,
        loc="outside lower center",
        ncols=len(texts),
        title="dots: measured, with 95 % intervals; lines: exact, where a formula is known",
    )
    return figure


def _growth(axes: Axes, growth: Growth, colour: str, marker: str, label: str) -> None:
    axes.plot(growth.size, growth.exact, color=colour, lw=1.2)
    axes.errorbar(
        growth.size,
        growth.work,
        margins(growth.error),
        fmt=marker,
        ms=4,
        capsize=2,
        color=colour,
        label=label,
    )


def _finding(found: DimensionsRecord, metrics: Metrics) -> str:
    """How many times pathwise's evaluations the others take in the most dimensions."""
    labels = metrics["labels"]["estimators"]
    pathwise = found.growth[name(TOLD, "pathwise")]
    times = [
        f"{labels[key]} {_round(found.growth[name(TOLD, key)].work[-1] / pathwise.work[-1])}"
        for key in LOOKS
        if key != "pathwise"
    ]
    return (
        f"f = {metrics['labels']['objectives'][TOLD]} in {pathwise.size[-1]} dimensions, "
        f"times the evaluations of pathwise:\n{'; '.join(times)}"
    )


def _round(ratio: float) -> str:
    """To two digits, without an exponent."""
    return number(float(f"{ratio:.2g}"), ",.0f").replace(",", " ")
