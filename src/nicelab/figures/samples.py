"""Samples and the training images nearest to them, interpolations, the scaling's spectrum."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from nicelab.figures import style


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Grid of samples, latent interpolations, σ_d in decreasing order, and nearest images."""
    spectrum = arrays["spectrum"]
    ratio = spectrum[0] / spectrum[-1]
    figure = style.new(
        f"{metrics['dataset']}: what NICE has learned; its scales span a factor of {ratio:.0f}",
        height=7.0,
    )
    upper, lower = figure.subfigures(2, 1, height_ratios=[5.4, 1.6])
    left, right = upper.subfigures(1, 2, width_ratios=[1, 1.05])
    grid = int(np.sqrt(len(arrays["samples"])))
    style.image(left.subplots(), style.tile(arrays["samples"], grid), "samples from the model")
    above, below = right.subplots(2, 1, height_ratios=[1, 1])
    paths = arrays["interpolations"]
    style.image(
        above,
        style.tile(paths.reshape(-1, paths.shape[-1]), paths.shape[1]),
        "between test images, on a line in latent space",
    )
    below.semilogy(np.arange(1, len(spectrum) + 1), spectrum, color=style.BLUE)
    below.set(xlabel="latent dimension d, sorted", ylabel="σ$_d$ = exp(−s$_d$) (grey range)")
    below.set_title("spectrum of the scaling layer")
    _nearest(lower, arrays, metrics["temperatures"])
    return figure


def _nearest(figure: SubFigure, arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> None:
    """Samples at each temperature above the training images nearest to them."""
    known = [f"{t:g}" for t in arrays["temperatures"]]
    name = "share_closer_than_the_closest_1_percent_of_test_images"
    shares = ", ".join(f"{100 * metrics[t][name]['value']:.1f} %" for t in known)
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
        panels, known, arrays["at_temperatures"], arrays["nearest_images"], strict=True
    ):
        style.image(axes, style.tile(np.concatenate(pair), len(pair[0])), f"temperature {t}")
