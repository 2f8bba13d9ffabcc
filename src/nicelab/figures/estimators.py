"""Bias, variance and cost of the gradient estimators."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.gradients.records import CONVICTED, GradientsRecord
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import margins

SHOWN = {  # in the panel of batch sizes
    "score": style.BLUE,
    "score_leave_one_out": style.SKY,
    "pathwise": style.GREEN,
    "pathwise_antithetic": style.ORANGE,
    "pathwise_stratified": style.RED,
    "pathwise_sobol": style.PURPLE,
    "measure_valued": style.GREY,
}
POINTS = (
    style.BLUE,
    style.ORANGE,
    style.RED,
    style.GREEN,
    style.PURPLE,
    style.SKY,
    style.GREY,
)
COMPONENTS = {"μ": ("o", style.BLUE), "τ": ("s", style.RED)}
TICKS = {-1000: "−10³", -100: "−10²", -10: "", -4: "−4", 0: "0"}
TICKS |= {4: "4", 10: "", 100: "10²", 1000: "10³"}


def draw(found: GradientsRecord, metrics: Metrics) -> Figure:
    """Four panels: variance map, variance against batch size, z-scores, and the ranking."""
    labels, biased = metrics["labels"]["estimators"], found.convicted()
    names = "; ".join(labels[name] for name in biased)
    figure = style.new(
        f"Of {len(found.names)} estimators a z-test convicts "
        + (f"{len(biased)}: {names}" if biased else "none"),
        height=10.8,
    )
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.5])
    ratio, batches = upper.subplots(1, 2)
    _ratio(ratio, found, metrics["exact"])
    _batches(batches, found, labels)
    scores, work = lower.subplots(1, 2, sharey=True)
    _scores(scores, found, labels)
    _work(work, found)
    return figure


def _ratio(axes: Axes, found: GradientsRecord, exact: Metrics) -> None:
    mu, sigma, logarithm = found.map_mu, found.map_sigma, np.log10(found.map_variance_ratio)
    limit = np.abs(logarithm).max()
    image = axes.pcolormesh(
        mu,
        sigma,
        logarithm,
        cmap="PuOr",
        vmin=-limit,
        vmax=limit,
        shading="nearest",
        rasterized=True,
    )
    axes.contour(mu, sigma, logarithm, [0], colors="black")
    style.log_sigma(axes)
    axes.set_ylim(sigma[[0, -1]])
    for minimum in exact["minima"].values():
        axes.plot(minimum["mu"].value, minimum["sigma"].value, "*", ms=10, color="black")
    axes.figure.colorbar(image, ax=axes, label="log₁₀ (score / pathwise)")
    name = "share_of_the_map_where_the_score_function_has_less_variance_than_pathwise"
    axes.set(xlabel="μ")
    axes.set_title(
        "the score function has less variance than pathwise\n"
        f"in {100 * exact[name].value:.0f} % of the map (black: equal; stars: minima)"
    )


def _batches(axes: Axes, found: GradientsRecord, labels: Metrics) -> None:
    sizes, names = found.batches, list(found.names)
    for name, colour in SHOWN.items():
        k = names.index(name)
        axes.plot(sizes, found.batch_variances[k], color=colour, lw=1.2)
        observed, error = found.batch_observed[k], margins(found.batch_errors[k])
        axes.errorbar(sizes, observed, error, fmt="o", ms=3.5, color=colour, label=labels[name])
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set(xlabel="batch (samples)", ylabel="variance of the mean, μ and τ")
    mu, sigma = found.points[0]
    axes.set_title(f"at μ = {mu:g}, σ = {sigma:g}; lines exact, dots observed")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=7.5)


def _scores(axes: Axes, found: GradientsRecord, labels: Metrics) -> None:
    rows = np.arange(len(found.names))
    for k, (symbol, (marker, colour)) in enumerate(COMPONENTS.items()):
        for scores in found.z_scores[:, :, k]:
            axes.plot(scores, rows, marker, ms=3.5, color=colour, alpha=0.7, ls="none")
        axes.plot([], [], marker, ms=4, color=colour, ls="none", label=f"{symbol}-component")
    for edge in (-CONVICTED, CONVICTED):
        axes.axvline(edge, color=style.GREY, lw=1, ls=":")
    axes.set_xscale("symlog", linthresh=CONVICTED)
    axes.set_xticks(list(TICKS), TICKS.values())
    axes.set_yticks(rows, [labels[name] for name in found.names])
    axes.set_ylim(rows[-1] + 0.7, -0.7)
    axes.grid(axis="y", alpha=0.25)
    axes.set(xlabel="z-score of the bias, one dot for each point")
    axes.set_title("bias: beyond the dotted lines is proof")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2)


def _work(axes: Axes, found: GradientsRecord) -> None:
    rows = np.arange(len(found.names))
    for (mu, sigma), work, colour in zip(found.points, found.work, POINTS, strict=False):
        some, label = work > 0, f"μ = {mu:.2g}, σ = {sigma:.2g}"
        axes.plot(work[some], rows[some], "o", ms=4, color=colour, label=label)
    axes.set_xscale("log")
    axes.grid(axis="y", alpha=0.25)
    axes.set(xlabel="evaluations of f for a variance of 1 (exact)")
    axes.set_title("cost: to the left is better")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, fontsize=7.5)
