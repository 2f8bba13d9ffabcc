"""Error and recognisability of the completions, by mask and method."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate

METHODS = {
    "nearest": ("nearest training image", style.GREY, "x"),
    "biharmonic": ("biharmonic", style.PURPLE, "P"),
    "gaussian": ("Gaussian conditional", style.ORANGE, "D"),
    "ascent_from_grey": ("NICE, ascent from grey", style.GREEN, "^"),
    "ascent_from_gaussian": ("NICE, ascent from the Gaussian", style.SKY, "v"),
    "posterior_mean": ("NICE, posterior mean", style.BLUE, "o"),
}


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Squared error on hidden pixels above, accuracy of the classifier below."""
    names, masks = arrays["names"].tolist(), metrics["masks"]
    paired = [
        masks[name]["methods"]["posterior_mean"]["squared_error_less_gaussian"] for name in names
    ]
    wins = sum(p["value"] < -1.96 * p["standard_error"] for p in paired)
    overall = metrics["mean_over_masks"]["posterior_mean"]["squared_error_less_gaussian"]
    figure = style.new(
        f"{metrics['dataset']}: NICE's posterior mean is nearer than the exact Gaussian's answer "
        f"behind {wins} of {len(names)} masks;\non average its squared error is higher by "
        f"{estimate(overall)}"
        if overall["value"] > 0
        else f"{metrics['dataset']}: NICE's posterior mean beats the exact Gaussian's answer "
        f"behind {wins} of {len(names)} masks",
        height=6.4,
    )
    above, below = figure.subplots(2, 1, sharex=True)
    for shift, (method, (label, colour, marker)) in enumerate(METHODS.items()):
        x = np.arange(len(names)) + 0.11 * (shift - 2.5)
        for axes, score in ((above, "squared_error"), (below, "accuracy")):
            values = [masks[name]["methods"][method][score] for name in names]
            axes.errorbar(
                x,
                [v["value"] for v in values],
                [1.96 * v["standard_error"] for v in values],
                fmt=marker, ms=4.5, capsize=2, lw=1, color=colour, label=label,
            )  # fmt: skip
    above.set(ylabel="squared error on hidden pixels", yscale="log")
    above.set_title(f"{metrics['images']} test images, 95 % intervals")
    figure.legend(*above.get_legend_handles_labels(), ncols=3, loc="outside lower center")
    truth = metrics["truth"]["accuracy"]["value"]
    below.axhline(truth, color=style.GREY, ls=":", lw=1.2)
    below.set(ylabel="share recognised by the classifier", ylim=(0, 1.05))
    below.set_title(f"which digit is it? dotted: the original images, {truth:.2f}")
    below.set_xticks(range(len(names)), style.words(names), rotation=30, ha="right")
    return figure
