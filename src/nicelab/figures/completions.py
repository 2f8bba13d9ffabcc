"""One image behind every mask, completed by every method."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style

METHODS = {
    "mean": "mean",
    "nearest": "nearest\ntraining\nimage",
    "biharmonic": "bihar-\nmonic",
    "telea": "Telea",
    "navier_stokes": "Navier–\nStokes",
    "gaussian": "Gaussian\ncondi-\ntional",
    "ascent_from_grey": "NICE\nascent\nfrom grey",
    "ascent_from_gaussian": "NICE\nascent from\nGaussian",
    "posterior_draw": "NICE\nposterior\ndraw",
    "posterior_mean": "NICE\nposterior\nmean",
}
VEIL = np.array([0.34, 0.71, 0.91])  # colour of hidden pixels, Okabe and Ito's sky blue


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """A gallery, masks down and methods across, with the error of each completion."""
    names = arrays["names"].tolist()
    best = min(metrics["mean_over_masks"].items(), key=lambda m: m[1]["squared_error"]["value"])
    figure = style.new(
        f"{metrics['dataset']}: one test image behind {len(names)} masks; over "
        f"{metrics['images']} images\nthe {LABELS.get(best[0], best[0])} has the least squared "
        "error (printed below each: this image's)",
        height=0.6 + 0.86 * len(names),
    )
    grid = figure.subplots(len(names), len(METHODS) + 1)
    side, truth = int(np.sqrt(arrays["truth"].size)), arrays["truth"]
    for k, name in enumerate(names):
        hidden = arrays["hidden"][k]
        corrupted = np.where(hidden[:, None], VEIL, truth[:, None]).reshape(side, side, 3)
        style.image(grid[k][0], corrupted, "")
        grid[k][0].text(-0.08, 0.5, style.words([name])[0].replace(" ", "\n"), ha="right",
                        va="center", transform=grid[k][0].transAxes, fontsize=7.5)  # fmt: skip
        for axes, method in zip(grid[k][1:], METHODS, strict=True):
            image = arrays[f"by_{method}"][k]
            style.image(axes, image.reshape(side, side), "")
            error = np.square(image - truth)[hidden].mean()
            axes.text(0.5, -0.04, f"{error:.3f}", ha="center", va="top",
                      transform=axes.transAxes, fontsize=6.5)  # fmt: skip
    for axes, label in zip(grid[0], ["hidden\npixels\nblue", *METHODS.values()], strict=True):
        axes.set_title(label, fontsize=7.5, loc="center")
    return figure


LABELS = {name: label.replace("-\n", "").replace("\n", " ") for name, label in METHODS.items()}
