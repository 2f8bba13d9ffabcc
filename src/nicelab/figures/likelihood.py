"""Likelihood of training, validation and test images."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.likelihood.records import Likelihoods
from nicelab.pipeline.metrics import Metrics

COLOURS = {"training": style.ORANGE, "validation": style.GREEN, "test": style.BLUE}


def draw(found: Mapping[str, Likelihoods], metrics: Mapping[str, Metrics]) -> Figure:
    """Distribution of the log-likelihood over images under every flow, with the means."""
    data = next(iter(metrics.values()))["dataset"]
    figure = style.new(f"{data}, test images: {_finding(metrics)}", height=0.8 + 2.6 * len(found))
    rows = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    nats = {family: likelihoods.to_arrays() for family, likelihoods in found.items()}
    ends = [np.quantile(np.concatenate(list(x.values())), [0.01, 1]) for x in nats.values()]
    bins = np.linspace(np.min(ends), np.max(ends), 60 + 60 * len(found))
    for axes, (family, parts) in zip(rows, nats.items(), strict=True):
        _distribution(axes, parts, metrics[family], bins)
    rows[-1].set(xlabel="log-likelihood of an image (nats)")
    return figure


def _finding(metrics: Mapping[str, Metrics]) -> str:
    def told(found: Metrics) -> str:
        test, training = (found[part]["log_likelihood"] for part in ("test", "training"))
        less = training.value - test.value
        return (
            f"{estimate(test)} nats under {found['flow']}, {less:.0f} fewer than training images"
        )

    return ",\n".join(map(told, metrics.values()))


def _distribution(
    axes: Axes, parts: Mapping[str, np.ndarray], metrics: Metrics, bins: np.ndarray
) -> None:
    for part, colour in COLOURS.items():
        mean = metrics[part]["log_likelihood"]
        label = f"{part}: {estimate(mean)} nats, n = {mean.n}"
        axes.hist(
            parts[part], bins, histtype="step", color=colour, lw=1.6, density=True, label=label
        )
        axes.axvline(mean.value, color=colour, lw=1, ls=":")
    axes.set(ylabel="density (per nat)")
    axes.set_title(metrics["flow"])
    axes.legend(loc="upper left", title="mean ± standard error (dotted)", alignment="left")
