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
    """Landscape and basins; σ against steps; where faults lead; ends beside printed numbers."""
    runs = metrics["sgd"]
    gap = [runs[name]["sigma"]["value"] for name in ("score_as_printed", "pathwise_as_printed")]
    right = [runs[name]["sigma"] for name in ("score", "pathwise")]
    difference = right[0]["value"] - right[1]["value"]
    error = np.hypot(right[0]["standard_error"], right[1]["standard_error"])
    figure = style.new(
        f"As printed the estimators end {abs(gap[0] - gap[1]):.3f} apart in σ; "
        f"right, {abs(difference):.4f} ± {error:.4f} apart",
        height=10.0,
    )
    upper, lower = figure.subfigures(2, 1, height_ratios=[2, 1])
    (landscape, steps), (faults, long) = upper.subplots(2, 2)
    _landscape(landscape, arrays, metrics["exact"])
    _steps(steps, arrays)
    _faults(faults, arrays, metrics["exact"])
    _long(long, arrays, metrics["exact"])
    _ends(lower.subplots(1, 2, sharey=True), arrays, runs)
    return figure


def _stationary(axes: Axes, exact: dict[str, Any]) -> None:
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
            markeredgecolor="white",
            ls="none",
            label=f"{name}, L = {point['loss']['value']:.4f}",
        )


def _landscape(axes: Axes, arrays: dict[str, np.ndarray], exact: dict[str, Any]) -> None:
    mu, sigma, loss = (arrays[f"map_{name}"] for name in ("mu", "sigma", "loss"))
    axes.contourf(mu, sigma, arrays["map_basin"], [-0.5, 0.5, 1.5],
                  colors=["#FBEBCF", "#FFFFFF"])  # fmt: skip
    levels = loss.min() + np.geomspace(0.002, 3, 22)
    axes.contour(mu, sigma, loss, levels, cmap="cividis", linewidths=0.8)
    _stationary(axes, exact)
    axes.plot(*arrays["score_expected"].T, color=style.BLUE, lw=2.5, label="exact descent")
    share = exact["share_of_the_map_that_descends_to_the_global_minimum"]["value"]
    axes.set(xlabel="μ", ylabel="σ")
    axes.set_title(f"L; from the shaded {100 * share:.0f} % descent finds the global minimum")
    axes.legend(loc="upper left", frameon=True, framealpha=0.9, edgecolor="none")


def _steps(axes: Axes, arrays: dict[str, np.ndarray]) -> None:
    for name, (label, colour) in ESTIMATORS.items():
        low, middle, high = arrays[f"{name}_band"][..., 1]
        axes.plot(middle, color=colour, label=label)
        axes.fill_between(np.arange(middle.size), low, high, color=colour, alpha=0.13, lw=0)
    axes.plot(arrays["score_expected"][:, 1], color="black", lw=1, ls="--", label="exact descent")
    axes.set(xlabel="step", ylabel="σ")
    axes.set_title("median and 95 % band over seeds")
    axes.legend(loc="lower left")


def _faults(axes: Axes, arrays: dict[str, np.ndarray], exact: dict[str, Any]) -> None:
    for name, (label, colour) in ESTIMATORS.items():
        axes.plot(*arrays[f"{name}_long_ends"].T, ".", ms=3, alpha=0.5, color=colour)
        line = "--" if name == "pathwise" else "-"
        axes.plot(*arrays[f"{name}_long"].T, color=colour, ls=line, label=label)
    handles, labels = axes.get_legend_handles_labels()
    _stationary(axes, exact)
    axes.set(xlabel="μ", ylabel="σ")
    axes.set_title("long runs: expected path, and ends over seeds (dots)")
    axes.legend(handles, labels, loc="upper left")


def _long(axes: Axes, arrays: dict[str, np.ndarray], exact: dict[str, Any]) -> None:
    for name, (_, colour) in ESTIMATORS.items():
        line = "--" if name == "pathwise" else "-"
        axes.plot(arrays["long_steps"], arrays[f"{name}_long"][:, 1], color=colour, ls=line)
    minimum = exact["minima"]["local"]["sigma"]["value"]
    axes.axhline(minimum, color=style.GREY, lw=1, ls=":")
    axes.annotate(
        "local minimum",
        (arrays["long_steps"][-1], minimum),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=style.GREY,
    )
    axes.set(xlabel="step of a long run", ylabel="σ, expected")
    axes.set_title("what the faults do over time")


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
