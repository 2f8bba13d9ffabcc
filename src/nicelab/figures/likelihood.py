"""Likelihood of training, validation and test images."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate

COLOURS = {"training": style.ORANGE, "validation": style.GREEN, "test": style.BLUE}


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Distribution of the log-likelihood over images, with the means."""
    test, training = (metrics[part]["log_likelihood"] for part in ("test", "training"))
    figure = style.new(
        f"{metrics['dataset']}: test images have {estimate(test)} nats, "
        f"{training['value'] - test['value']:.0f} fewer than training images",
        height=3.4,
    )
    axes = figure.subplots()
    everything = np.concatenate([arrays[part] for part in COLOURS])
    bins = np.linspace(*np.quantile(everything, [0.01, 1]), 80)
    for part, colour in COLOURS.items():
        mean = metrics[part]["log_likelihood"]
        axes.hist(
            arrays[part],
            bins,
            histtype="step",
            color=colour,
            lw=1.6,
            density=True,
            label=f"{part}: {estimate(mean)} nats, n = {mean['n']}",
        )
        axes.axvline(mean["value"], color=colour, lw=1, ls=":")
    axes.set(xlabel="log-likelihood of an image (nats)", ylabel="density (per nat)")
    axes.legend(loc="upper left", title="mean ± standard error (dotted)", alignment="left")
    return figure
