"""Samples and the training images nearest to them, interpolations, the scaling's spectrum."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.likelihood.records import Samples
from nicelab.pipeline.metrics import Metrics


def draw(found: Samples, metrics: Metrics) -> Figure:
    """Grid of samples, latent interpolations, σ_d in decreasing order, and nearest images."""
    figure = style.new(f"{style.whose(metrics)}: {_finding(metrics)}", height=7.0)
    upper, lower = figure.subfigures(2, 1, height_ratios=[5.4, 1.6])
    left, right = upper.subfigures(1, 2, width_ratios=[1, 1.05])
    grid = int(np.sqrt(len(found.samples)))
    style.image(
        left.subplots(), style.tile(found.samples, found.shape, grid), "samples from the model"
    )
    panels = right.subplots(1 if found.spectrum is None else 2, 1, squeeze=False)[:, 0]
    paths = found.interpolations
    sheet = style.tile(paths.reshape(-1, paths.shape[-1]), found.shape, paths.shape[1])
    style.image(panels[0], sheet, "between test images, on a line in latent space")
    if found.spectrum is not None:
        _spectrum(panels[1], found.spectrum)
    _nearest(lower, found, metrics["temperatures"])
    return figure


def _finding(metrics: Metrics) -> str:
    temperature, samples = list(metrics["temperatures"].items())[-1]
    ours, test = (x["distance_to_training"] for x in (samples, metrics["test"]))
    return (
        f"samples lie {estimate(ours)} from the nearest training image,\n"
        f"test images {estimate(test)} (Euclidean, grey in [0, 1]; temperature {temperature})"
    )


def _spectrum(axes: Axes, spectrum: np.ndarray) -> None:
    axes.semilogy(np.arange(1, len(spectrum) + 1), spectrum, color=style.BLUE)
    axes.set(xlabel="latent dimension d, sorted", ylabel="σ$_d$ = exp(−s$_d$) (grey range)")
    ratio = spectrum[0] / spectrum[-1]
    axes.set_title(f"spectrum of the scaling layer: a factor of {ratio:.0f}")


def _nearest(figure: SubFigure, found: Samples, metrics: Metrics) -> None:
    """Samples at each temperature above the training images nearest to them."""
    known = [f"{t:g}" for t in found.temperatures]
    name = "share_closer_than_the_closest_1_percent_of_test_images"
    shares = ", ".join(f"{100 * metrics[t][name].value:.1f} %" for t in known)
    figure.suptitle(
        "samples above the training images nearest to them; closer than the closest 1 % of test "
        f"images: {shares}",
        x=0.01,
        ha="left",
        fontsize="medium",
        fontweight="normal",
    )
    panels = figure.subplots(1, len(known), squeeze=False)[0]
    for axes, t, *pair in zip(
        panels, known, found.at_temperatures, found.nearest_images, strict=True
    ):
        sheet = style.tile(np.concatenate(pair), found.shape, len(pair[0]))
        style.image(axes, sheet, f"temperature {t}")
