"""Samples, interpolations and the spectrum of the scaling layer."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Grid of samples, latent interpolations, and σ_d in decreasing order."""
    spectrum = arrays["spectrum"]
    ratio = spectrum[0] / spectrum[-1]
    figure = style.new(
        f"{metrics['dataset']}: what NICE has learned; its scales span a factor of {ratio:.0f}",
        height=5.6,
    )
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.05])
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
    return figure
