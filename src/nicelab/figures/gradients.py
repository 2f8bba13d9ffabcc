"""SGD with both estimators, as printed and right, against the exact flow."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.gradients.records import GradientsRecord, Run
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import difference

COLOURS = {
    "score_as_printed": style.RED,
    "pathwise_as_printed": style.ORANGE,
    "score": style.BLUE,
    "pathwise": style.GREEN,
}
LINES = {"pathwise": "--"}  # of what lies over another


def draw(found: GradientsRecord, metrics: Metrics) -> Figure:
    """Landscape and basins; σ against steps; where faults lead; ends beside printed numbers."""
    figure = style.new(_title(metrics["sgd"]), height=10.0)
    upper, lower = figure.subfigures(2, 1, height_ratios=[2, 1])
    (landscape, steps), (faults, long) = upper.subplots(2, 2)
    _landscape(landscape, found, metrics["exact"])
    _steps(steps, found, metrics["labels"]["estimators"])
    _faults(faults, found, metrics)
    _long(long, found, metrics["exact"]["minima"]["local"]["sigma"].value)
    _ends(lower.subplots(1, 2, sharey=True), found, metrics)
    return figure


def _title(runs: Metrics) -> str:
    printed, right = (
        difference(runs[f"score{suffix}"]["sigma"], runs[f"pathwise{suffix}"]["sigma"])
        for suffix in ("_as_printed", "")
    )
    return (
        f"As printed the estimators end {abs(printed.value):.3f} apart in σ; "
        f"right, {abs(right.value):.4f} ± {right.standard_error:.4f} apart"
    )


def _stationary(axes: Axes, exact: Metrics) -> None:
    points = {
        "global minimum": (exact["minima"]["global"], "*", style.ORANGE),
        "local minimum": (exact["minima"]["local"], "*", style.RED),
        "saddle": (exact["saddle"], "X", style.GREY),
    }
    for name, (point, marker, colour) in points.items():
        axes.plot(
            point["mu"].value,
            point["sigma"].value,
            marker,
            ms=10,
            color=colour,
            markeredgecolor="white",
            ls="none",
            label=f"{name}, L = {point['loss'].value:.4f}",
        )


def _landscape(axes: Axes, found: GradientsRecord, exact: Metrics) -> None:
    mu, sigma, loss = found.map_mu, found.map_sigma, found.map_loss
    shades = ["#FBEBCF", "#FFFFFF"]
    axes.contourf(mu, sigma, found.map_basin, [-0.5, 0.5, 1.5], colors=shades)
    levels = loss.min() + np.geomspace(0.002, 3, 22)
    axes.contour(mu, sigma, loss, levels, cmap="cividis", linewidths=0.8)
    _stationary(axes, exact)
    axes.plot(*found.runs["score"].expected.T, color=style.BLUE, lw=2.5, label="exact descent")
    share = exact["share_of_the_map_that_descends_to_the_global_minimum"].value
    style.log_sigma(axes)
    axes.set_ylim(sigma[[0, -1]])
    axes.set(xlabel="μ")
    axes.set_title(f"L; from the shaded {100 * share:.0f} % descent finds the global minimum")
    axes.legend(loc="upper left", frameon=True, framealpha=0.9, edgecolor="none")


def _steps(axes: Axes, found: GradientsRecord, labels: Metrics) -> None:
    for name, colour in COLOURS.items():
        low, middle, high = found.runs[name].band[..., 1]
        axes.plot(middle, color=colour, label=labels[name])
        axes.fill_between(np.arange(middle.size), low, high, color=colour, alpha=0.13, lw=0)
    exact = found.runs["score"].expected[:, 1]
    axes.plot(exact, color="black", lw=1, ls="--", label="exact descent")
    axes.set(xlabel="step", ylabel="σ")
    axes.set_title("median and 95 % band over seeds")
    axes.legend(loc="lower left")


def _faults(axes: Axes, found: GradientsRecord, metrics: Metrics) -> None:
    names = metrics["labels"]["estimators"]
    for name, colour in COLOURS.items():
        run = found.long[name]
        axes.plot(*run.long_ends.T, ".", ms=3, alpha=0.5, color=colour)
        axes.plot(*run.long.T, color=colour, ls=LINES.get(name, "-"), label=names[name])
    handles, labels = axes.get_legend_handles_labels()
    _stationary(axes, metrics["exact"])
    axes.set(xlabel="μ", ylabel="σ")
    axes.set_title("long runs: expected path, and ends over seeds (dots)")
    axes.legend(handles, labels, loc="upper left")


def _long(axes: Axes, found: GradientsRecord, minimum: float) -> None:
    for name, colour in COLOURS.items():
        sigma = found.long[name].long[:, 1]
        axes.plot(found.long_steps, sigma, color=colour, ls=LINES.get(name, "-"))
    axes.axhline(minimum, color=style.GREY, lw=1, ls=":")
    axes.annotate(
        "local minimum",
        (found.long_steps[-1], minimum),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=style.GREY,
    )
    axes.set(xlabel="step of a long run", ylabel="σ, expected")
    axes.set_title("what the faults do over time")


def _ends(panels: np.ndarray, found: GradientsRecord, metrics: Metrics) -> None:
    labels = metrics["labels"]["estimators"]
    for axes, k, parameter, symbol in zip(panels, (0, 1), ("mu", "sigma"), "μσ", strict=True):
        for row, (name, colour) in enumerate(COLOURS.items()):
            _box(axes, row, found.runs[name], k, colour)
            run = metrics["sgd"][name]
            axes.plot(run["exact"][parameter].value, row, "|", color="black", ms=16)
            axes.plot(run["printed"][parameter]["value"], row, "D", color="black", ms=4)
        axes.set(xlabel=f"{symbol} after the last step")
    panels[0].set_yticks(range(len(COLOURS)), [labels[name] for name in COLOURS])
    panels[0].invert_yaxis()
    panels[0].set_title(
        "box: quartiles, whiskers: 95 % of the seeds; "
        "black line: expected end; diamond: the sheet's one run"
    )


def _box(axes: Axes, row: int, run: Run, k: int, colour: str) -> None:
    """Quartiles, and whiskers at 2.5 and 97.5 %, of column k of the ends."""
    names = ("whislo", "q1", "med", "q3", "whishi")
    box = dict(zip(names, run.quantiles_of_ends()[:, k], strict=True))
    parts = ("boxprops", "medianprops", "whiskerprops", "capprops")
    axes.bxp(
        [box],
        positions=[row],
        orientation="horizontal",
        widths=0.5,
        showfliers=False,
        **dict.fromkeys(parts, {"color": colour}),
    )
