"""Error and recognisability of the completions, by mask and method."""

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.inpainting.records import Exhibits
from nicelab.inpainting.verdicts import contest
from nicelab.pipeline.metrics import Metrics

LOOKS = {
    "nearest": (style.GREY, "x"),
    "biharmonic": (style.PURPLE, "P"),
    "gaussian": (style.ORANGE, "D"),
    "ascent_from_grey": (style.GREEN, "^"),
    "ascent_from_gaussian": (style.SKY, "v"),
    "chain_mean": (style.BLUE, "o"),
}


def draw(found: Exhibits, metrics: Metrics) -> Figure:
    """Squared error on hidden pixels above, accuracy of the classifier, if any, below."""
    labels, masks = metrics["labels"], metrics["masks"]
    scores = ["squared_error", *(["accuracy"] if "accuracy" in metrics["truth"] else [])]
    figure = style.new(_finding(metrics), height=0.6 + 2.9 * len(scores))
    panels = figure.subplots(len(scores), 1, sharex=True, squeeze=False)[:, 0]
    above, *below = panels
    for shift, (method, (colour, marker)) in enumerate(LOOKS.items()):
        x = np.arange(len(masks)) + 0.11 * (shift - 2.5)
        for axes, score in zip(panels, scores, strict=True):
            values = [mask["methods"][method][score] for mask in masks.values()]
            style.intervals(axes, x, values, colour, marker, label=labels["methods"][method])
    above.set(ylabel="squared error on hidden pixels", yscale="log")
    above.set_title(
        f"{metrics['images']} test images, of which {metrics['ascended']} ascended; 95 % intervals"
    )
    figure.legend(*above.get_legend_handles_labels(), ncols=3, loc="outside lower center")
    for axes in below:
        truth = metrics["truth"]["accuracy"].value
        axes.axhline(truth, color=style.GREY, ls=":", lw=1.2)
        axes.set(ylabel="share recognised by the classifier", ylim=(0, 1.05))
        axes.set_title(f"of which class is it? dotted: the original images, {truth:.2f}")
    names = [labels["masks"][name] for name in masks]
    panels[-1].set_xticks(range(len(names)), names, rotation=30, ha="right")
    return figure


def _finding(metrics: Metrics) -> str:
    masks = metrics["masks"]
    found = contest(masks, "chain_mean", "gaussian")
    less = metrics["mean_over_masks"]["chain_mean"]["squared_error_less_gaussian"]
    return (
        f"{style.whose(metrics)}: the mean of its chains is nearer to the truth than the exact "
        f"Gaussian's\nanswer behind {found.nearer} of {len(masks)} masks, farther behind "
        f"{found.farther}; mean difference {estimate(less)}"
    )
