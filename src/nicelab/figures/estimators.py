"""Bias, variance and cost of the gradient estimators."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style

CONVICTED = 4  # standard errors
SHOWN = {  # in the panel of batch sizes
    "score": style.BLUE,
    "score_leave_one_out": style.SKY,
    "pathwise": style.GREEN,
    "pathwise_antithetic": style.ORANGE,
    "pathwise_stratified": style.RED,
    "pathwise_sobol": style.PURPLE,
    "measure_valued": style.GREY,
}


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Four panels: variance map, variance against batch size, z-scores, and the ranking."""
    names = list(arrays["names"])
    worst = np.abs(arrays["z_scores"]).max((0, 2))
    biased = [_label(name) for name, z in zip(names, worst, strict=True) if z > CONVICTED]
    figure = style.new(
        f"Of {len(names)} estimators a z-test convicts {len(biased)}: {', '.join(biased)}",
        height=10.5,
    )
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.65])
    ratio, batches = upper.subplots(1, 2)
    _ratio(ratio, arrays, metrics["exact"])
    _batches(batches, arrays)
    scores, work = lower.subplots(1, 2, sharey=True)
    _scores(scores, arrays)
    _work(work, arrays)
    return figure


def _label(name: str) -> str:
    return name.replace("_", " ")


def _ratio(axes: Axes, arrays: dict[str, np.ndarray], exact: dict[str, Any]) -> None:
    logarithm = np.log10(arrays["map_variance_ratio"])
    limit = np.abs(logarithm).max()
    image = axes.pcolormesh(
        arrays["map_mu"], arrays["map_sigma"], logarithm, cmap="PuOr", vmin=-limit, vmax=limit,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    axes.contour(arrays["map_mu"], arrays["map_sigma"], logarithm, [0], colors="black")
    for kind in ("global", "local"):
        minimum = exact["minima"][kind]
        axes.plot(minimum["mu"]["value"], minimum["sigma"]["value"], "*", ms=10, color="black")
    axes.figure.colorbar(image, ax=axes, label="log₁₀ (score / pathwise)")
    share = exact[
        "share_of_the_map_where_the_score_function_has_less_variance_than_pathwise"
    ]["value"]  # fmt: skip
    axes.set(xlabel="μ", ylabel="σ")
    axes.set_title(
        "the score function has less variance than pathwise\n"
        f"in {100 * share:.0f} % of the map, beyond the line (stars: minima)"
    )


def _batches(axes: Axes, arrays: dict[str, np.ndarray]) -> None:
    sizes, names = arrays["batches"], list(arrays["names"])
    for name, colour in SHOWN.items():
        k = names.index(name)
        axes.plot(sizes, arrays["batch_variances"][k], color=colour, lw=1.2)
        axes.errorbar(
            sizes,
            arrays["batch_observed"][k],
            1.96 * arrays["batch_errors"][k],
            fmt="o",
            ms=3.5,
            color=colour,
            label=_label(name),
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set(xlabel="batch (samples)", ylabel="variance of the mean, μ and τ")
    mu, sigma = arrays["points"][0]
    axes.set_title(f"at μ = {mu:g}, σ = {sigma:g}; lines exact, dots observed")
    axes.legend(loc="lower left", ncols=2, fontsize=7.5)


def _scores(axes: Axes, arrays: dict[str, np.ndarray]) -> None:
    rows = np.arange(len(arrays["names"]))
    z = arrays["z_scores"]
    for k, (symbol, marker, colour) in enumerate((("μ", "o", style.BLUE), ("τ", "s", style.RED))):
        for scores in z[:, :, k]:
            axes.plot(scores, rows, marker, ms=3.5, color=colour, alpha=0.7, ls="none")
        axes.plot([], [], marker, ms=4, color=colour, ls="none", label=f"{symbol}-component")
    for edge in (-CONVICTED, CONVICTED):
        axes.axvline(edge, color=style.GREY, lw=1, ls=":")
    axes.set_xscale("symlog", linthresh=CONVICTED)
    axes.set_xticks([-1000, -100, -10, -4, 0, 4, 10, 100, 1000],
                    ["−10³", "−10²", "", "−4", "0", "4", "", "10²", "10³"])  # fmt: skip
    axes.set_yticks(rows, [_label(name) for name in arrays["names"]])
    axes.set_ylim(rows[-1] + 0.7, -0.7)
    axes.grid(axis="y", alpha=0.25)
    axes.set(xlabel="z-score of the bias, one dot for each point")
    axes.set_title("bias: beyond the dotted lines is proof")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2)


def _work(axes: Axes, arrays: dict[str, np.ndarray]) -> None:
    rows = np.arange(len(arrays["names"]))
    colours = (style.BLUE, style.ORANGE, style.RED, style.GREEN, style.PURPLE, style.SKY,
               style.GREY)  # fmt: skip
    for (mu, sigma), work, colour in zip(arrays["points"], arrays["work"], colours, strict=False):
        some = work > 0
        axes.plot(work[some], rows[some], "o", ms=4, color=colour,
                  label=f"μ = {mu:.2g}, σ = {sigma:.2g}")  # fmt: skip
    axes.set_xscale("log")
    axes.grid(axis="y", alpha=0.25)
    axes.set(xlabel="evaluations of f for a variance of 1 (exact)")
    axes.set_title("cost: to the left is better")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, fontsize=7.5)
