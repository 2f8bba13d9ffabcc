"""Likelihood of training, validation and test images."""

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.likelihood.records import Likelihoods
from nicelab.pipeline.metrics import Metrics

COLOURS = {"training": style.ORANGE, "validation": style.GREEN, "test": style.BLUE}


def draw(found: Likelihoods, metrics: Metrics) -> Figure:
    """Distribution of the log-likelihood over images, with the means."""
    means = {part: metrics[part]["log_likelihood"] for part in COLOURS}
    figure = style.new(
        f"{metrics['dataset']}: test images have {estimate(means['test'])} nats, "
        f"{means['training'].value - means['test'].value:.0f} fewer than training images",
        height=3.4,
    )
    axes = figure.subplots()
    nats = found.to_arrays()
    bins = np.linspace(*np.quantile(np.concatenate(list(nats.values())), [0.01, 1]), 80)
    for part, colour in COLOURS.items():
        label = f"{part}: {estimate(means[part])} nats, n = {means[part].n}"
        axes.hist(
            nats[part], bins, histtype="step", color=colour, lw=1.6, density=True, label=label
        )
        axes.axvline(means[part].value, color=colour, lw=1, ls=":")
    axes.set(xlabel="log-likelihood of an image (nats)", ylabel="density (per nat)")
    axes.legend(loc="upper left", title="mean ± standard error (dotted)", alignment="left")
    return figure
