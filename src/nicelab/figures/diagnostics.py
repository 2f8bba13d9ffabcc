"""Likelihood per class and of other images; the latents' marginals."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from nicelab.figures import style
from nicelab.likelihood.records import Diagnostics
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import middle_and_tails


def draw(found: Diagnostics, metrics: Metrics) -> Figure:
    """Panels of classes, other images, distances from the prior, and the latents' quantiles.

    Images without classes leave the first panel empty.
    """
    labels, other = metrics["labels"]["images"], metrics["other_images"]
    likelier = [k for k in other if other[k]["share_above_the_median_test_image"].value > 0.5]
    figure = style.new(
        f"{style.whose(metrics)}: more likely than most test images: "
        f"{', '.join(labels[k] for k in likelier) or 'no other kind of image'}",
        height=6.2,
    )
    (classes, others), (distances, quantiles) = figure.subplots(2, 2)
    if "by_class" in metrics:
        _classes(classes, metrics["by_class"])
    else:
        classes.set_axis_off()
    _others(others, {labels["test"]: found.test} | {labels[k]: x for k, x in found.other.items()})
    _distances(distances, found.distances, metrics)
    _quantiles(quantiles, found.latent_percentiles, metrics)
    return figure


def _classes(axes: Axes, by_class: Metrics) -> None:
    means = [found["log_likelihood"] for found in by_class.values()]
    style.intervals(axes, np.arange(len(means)), means, style.BLUE, "o", "mean of a class")
    names = list(by_class)
    turned = 0 if max(map(len, names)) < 3 else 90 if len(names) > 10 else 30
    axes.set_xticks(range(len(names)), names, rotation=turned, ha="right" if turned else "center")
    axes.set(xlabel="class", ylabel="log-likelihood (nats)")
    axes.set_title("test images by class, mean and 95 % interval")


def _others(axes: Axes, nats: dict[str, np.ndarray]) -> None:
    """The test images, which come first, and those of other kinds."""
    for row, values in enumerate(nats.values()):
        low, middle, high = middle_and_tails(values)
        colour = style.ORANGE if row else style.BLUE
        axes.plot([low, high], [row, row], color=colour, lw=3, solid_capstyle="butt")
        axes.plot(middle, row, "o", color=colour)
    axes.set_xscale("symlog", linthresh=1000)
    axes.set_xticks([-1e5, -1e4, -1e3, 0, 1e3])
    axes.set_yticks(range(len(nats)), list(nats))
    axes.invert_yaxis()
    axes.set(xlabel="log-likelihood (nats; logarithmic beyond 1000)")
    axes.set_title("other images: median and 5–95 %")


def _distances(axes: Axes, distances: np.ndarray, metrics: Metrics) -> None:
    latents, prior = metrics["latents"], metrics["labels"]["prior"]
    axes.plot(np.arange(1, len(distances) + 1), np.sort(distances)[::-1], color=style.BLUE)
    critical = latents["critical_distance"].value
    label = f"{critical:.4f}: a {prior} latent in 100 exceeds it"
    axes.axhline(critical, color=style.GREY, lw=1, ls=":", label=label)
    rejected = latents["share_rejected_at_1_percent"].value
    axes.set(xlabel="latent dimension, sorted", ylabel="Kolmogorov–Smirnov distance", ylim=0)
    axes.set_title(f"{100 * rejected:.0f} % of latents are not {prior} (1 % level)")
    axes.legend(loc="upper right")


def _quantiles(axes: Axes, percentiles: np.ndarray, metrics: Metrics) -> None:
    exact = getattr(stats, metrics["prior"]).ppf(np.arange(1, 100) / 100)
    low, middle, high = middle_and_tails(percentiles, axis=0)
    axes.fill_between(
        exact, low, high, color=style.BLUE, alpha=0.25, lw=0, label="5–95 % of latents"
    )
    axes.plot(exact, middle, color=style.BLUE, label="median latent")
    axes.plot(exact, exact, color=style.GREY, lw=1, ls=":", label="the prior")
    axes.set(
        xlabel=f"percentile of the {metrics['labels']['prior']}", ylabel="percentile of the latent"
    )
    axes.set_title("latents of test images, percentiles 1 to 99")
    axes.legend(loc="upper left")
