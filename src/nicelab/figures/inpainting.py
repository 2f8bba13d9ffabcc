"""The sheet's image, completed as printed and right."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate

METHODS = {
    "as_printed": ("as printed: gradients summed", style.RED),
    "gradient_zeroed": ("gradient zeroed", style.BLUE),
}

SHOWN_BELOW = 2000  # nats below the original image; what is lower is cut off


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Original, corrupted and both reconstructions; log p of each against steps."""
    printed, zeroed = (metrics["methods"][method]["squared_error"] for method in METHODS)
    figure = style.new(
        f"{metrics['dataset']}: squared error on hidden pixels {estimate(zeroed)} with the "
        f"gradient zeroed,\n{estimate(printed)} as printed ({zeroed['n']} test images)",
        height=5.4,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.15])
    side = int(np.sqrt(len(arrays["truth"])))
    titles = {"truth": "original", "corrupted": "corrupted"}
    titles |= {method: label for method, (label, _) in METHODS.items()}
    for axes, (name, title) in zip(above.subplots(1, 4), titles.items(), strict=True):
        style.image(axes, arrays[name].reshape(side, side), title)
    truth = metrics["truth"]
    panels = (
        ("trace", "the sheet's image", truth["sheet_image"]["log_likelihood"]["value"]),
        ("mean_trace", f"mean of {zeroed['n']} images", truth["log_likelihood"]["value"]),
    )
    for axes, (suffix, title, level) in zip(below.subplots(1, 2), panels, strict=True):
        for method, (label, colour) in METHODS.items():
            axes.plot(arrays[f"{method}_{suffix}"], color=colour, label=label)
        axes.axhline(level, color=style.GREY, ls=":", lw=1.2, label="the original image")
        axes.set(xlabel="step", ylabel="log p(x) (nats)", title=title)
        traces = np.stack([arrays[f"{method}_{suffix}"] for method in METHODS])
        axes.set_ylim(max(traces.min(), level - SHOWN_BELOW), max(traces.max(), level) + 50)
        axes.legend(loc="lower right")
    return figure
