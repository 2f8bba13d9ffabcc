"""The sheet's picture and its two rules, beside one that converges."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate

RULES = {
    "as_printed": ("as printed", style.RED),
    "gradient_zeroed": ("gradient zeroed", style.BLUE),
}
SHOWN_BELOW = 1500  # nats below the start of the sheet's rules; what is lower is cut off


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Original, corrupted and reconstructions; log p and error of all images against steps."""
    printed, zeroed = (metrics["methods"][rule]["squared_error"] for rule in RULES)
    figure = style.new(
        f"{metrics['dataset']}, behind the sheet's box: squared error on hidden pixels\n"
        f"{estimate(zeroed)} with the gradient zeroed, {estimate(printed)} as printed "
        f"({zeroed['n']} test images)",
        height=5.6,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.25])
    sheet = int(arrays["sheet"])
    side = int(np.sqrt(arrays["truth"].size))
    pictures = {
        "original": arrays["truth"],
        "corrupted": np.where(arrays["hidden"][sheet], 1.0, arrays["truth"]),
        **{label: arrays[f"sheet_{rule}"] for rule, (label, _) in RULES.items()},
        "decaying Adam step": arrays["by_ascent_from_grey"][sheet],
    }
    for axes, (title, image) in zip(above.subplots(1, 5), pictures.items(), strict=True):
        style.image(axes, image.reshape(side, side), "")
        axes.set_title(title, fontsize=8.5)
    left, right = below.subplots(1, 2)
    lines = [(f"sheet_{rule}", 0, label, colour) for rule, (label, colour) in RULES.items()]
    lines.append(("grey", sheet, "decaying Adam step, from grey", style.GREEN))
    for name, k, label, colour in lines:
        for axes, key in ((left, "log_prob"), (right, "error")):
            style.band(axes, arrays, f"{name}_{key}", k, colour, label)
    name = arrays["names"][sheet]
    truth = metrics["masks"][name]["truth"]["log_likelihood"]["value"]
    left.axhline(truth, color=style.GREY, ls=":", lw=1.2, label="the original images")
    left.set_ylim(truth - SHOWN_BELOW, truth + SHOWN_BELOW / 4)
    left.set(xlabel="step", ylabel="mean log p(x) (nats)")
    left.set_title(f"{zeroed['n']} images; shaded: ±1 standard error")
    left.legend(loc="lower right")
    right.set(xlabel="step", ylabel="squared error on hidden pixels", ylim=(0, None))
    right.set_title("the same images")
    return figure
