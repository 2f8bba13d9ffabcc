"""SGD with both estimators, as printed and right, against the exact flow."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style

ESTIMATORS = {
    "score_as_printed": ("score function, as printed", style.RED),
    "pathwise_as_printed": ("pathwise, as printed", style.ORANGE),
    "score": ("score function", style.BLUE),
    "pathwise": ("pathwise", style.GREEN),
}


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Loss landscape, σ against steps, and where the runs end beside the printed numbers."""
    runs = metrics["sgd"]
    gap = [runs[name]["sigma"]["value"] for name in ("score_as_printed", "pathwise_as_printed")]
    right = [runs[name]["sigma"] for name in ("score", "pathwise")]
    difference = right[0]["value"] - right[1]["value"]
    error = np.hypot(right[0]["standard_error"], right[1]["standard_error"])
    figure = style.new(
        f"As printed the estimators end {abs(gap[0] - gap[1]):.3f} apart in σ; "
        f"right, {abs(difference):.4f} ± {error:.4f} apart",
        height=6.8,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1])
    landscape, steps = above.subplots(1, 2)
    _landscape(landscape, arrays, metrics["exact"])
    _steps(steps, arrays)
    _ends(below.subplots(1, 2, sharey=True), arrays, runs)
    return figure


def _landscape(axes: Axes, arrays: dict[str, np.ndarray], exact: dict[str, Any]) -> None:
    loss = arrays["landscape"]
    levels = loss.min() + np.geomspace(0.002, 2, 22)
    lines = axes.contour(
        arrays["landscape_mu"],
        arrays["landscape_sigma"],
        loss,
        levels,
        cmap="cividis",
        linewidths=0.8,
    )
    axes.figure.colorbar(
        lines,
        ax=axes,
        label="loss L (contours spaced by factors)",
        ticks=levels[::7],
        format="%.3f",
    )
    points = {
        "global minimum": (exact["minima"]["global"], "*", style.ORANGE),
        "local minimum": (exact["minima"]["local"], "*", style.RED),
        "saddle": (exact["saddle"], "X", style.GREY),
    }
    for name, (point, marker, colour) in points.items():
        axes.plot(
            point["mu"]["value"],
            point["sigma"]["value"],
            marker,
            ms=10,
            color=colour,
            ls="none",
            label=f"{name}, L = {point['loss']['value']:.4f}",
        )
    flow = arrays["score_expected"]
    axes.plot(*flow.T, color=style.BLUE, lw=2.5, label="exact descent")
    axes.set(xlabel="μ", ylabel="σ", title="the objective and its stationary points")
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")


def _steps(axes: Axes, arrays: dict[str, np.ndarray]) -> None:
    for name, (label, colour) in ESTIMATORS.items():
        low, middle, high = arrays[f"{name}_band"][..., 1]
        axes.plot(middle, color=colour, label=label)
        axes.fill_between(np.arange(middle.size), low, high, color=colour, alpha=0.13, lw=0)
    axes.plot(arrays["score_expected"][:, 1], color="black", lw=1, ls="--", label="exact descent")
    axes.set(xlabel="step", ylabel="σ", title="median and 95 % band over seeds")
    axes.legend(loc="lower left")


def _ends(panels: np.ndarray, arrays: dict[str, np.ndarray], runs: dict[str, Any]) -> None:
    for axes, k, parameter, symbol in zip(panels, (0, 1), ("mu", "sigma"), "μσ", strict=True):
        for row, (name, (_, colour)) in enumerate(ESTIMATORS.items()):
            ends = arrays[f"{name}_ends"][:, k]
            axes.boxplot(
                [ends],
                positions=[row],
                orientation="horizontal",
                widths=0.5,
                whis=(2.5, 97.5),
                showfliers=False,
                boxprops={"color": colour},
                medianprops={"color": colour},
                whiskerprops={"color": colour},
                capprops={"color": colour},
            )
            axes.plot(runs[name]["exact"][parameter]["value"], row, "|", color="black", ms=16)
            axes.plot(runs[name]["printed"][parameter]["value"], row, "D", color="black", ms=4)
        axes.set(xlabel=f"{symbol} after the last step")
    panels[0].set_yticks(range(len(ESTIMATORS)), [label for label, _ in ESTIMATORS.values()])
    panels[0].invert_yaxis()
    panels[0].set_title(
        "box: quartiles, whiskers: 95 % of the seeds; "
        "black line: expected end; diamond: the sheet's one run"
    )
