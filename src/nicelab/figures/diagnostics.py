"""Likelihood per digit and of other images; the latents' marginals."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from nicelab.figures import style

NAMES = {
    "test": "test images",
    "digits": "scikit-learn digits",
    "shifted": "test images, shifted by a pixel",
    "inverted": "test images, inverted",
    "uniform": "uniform noise",
    "black": "black images",
}


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Four panels: digits, other images, distances from the prior, and the latents' quantiles."""
    other = metrics["other_images"]
    likelier = [k for k in other if other[k]["share_above_the_median_test_image"]["value"] > 0.5]
    figure = style.new(
        f"{metrics['dataset']}: more likely than most test images: "
        f"{', '.join(NAMES[k] for k in likelier) or 'no other kind of image'}",
        height=6.2,
    )
    (digits, others), (distances, quantiles) = figure.subplots(2, 2)
    _digits(digits, metrics["by_digit"])
    _others(others, arrays)
    _distances(distances, arrays["distances"], metrics["latents"])
    _quantiles(quantiles, arrays["latent_percentiles"])
    return figure


def _digits(axes: Axes, by_digit: dict[str, Any]) -> None:
    means = [found["log_likelihood"] for found in by_digit.values()]
    errors = [1.96 * m["standard_error"] for m in means]
    axes.errorbar(
        list(map(int, by_digit)),
        [m["value"] for m in means],
        errors,
        fmt="o",
        color=style.BLUE,
        capsize=3,
    )
    axes.set(xlabel="digit", ylabel="log-likelihood (nats)", xticks=range(10))
    axes.set_title("test images by digit, mean and 95 % interval")


def _others(axes: Axes, arrays: dict[str, np.ndarray]) -> None:
    samples = {
        kind: arrays["test" if kind == "test" else f"other_{kind}"]
        for kind in NAMES
        if kind == "test" or f"other_{kind}" in arrays
    }
    for row, (kind, values) in enumerate(samples.items()):
        low, middle, high = np.percentile(values, [5, 50, 95])
        colour = style.BLUE if kind == "test" else style.ORANGE
        axes.plot([low, high], [row, row], color=colour, lw=3, solid_capstyle="butt")
        axes.plot(middle, row, "o", color=colour)
    axes.set_xscale("symlog", linthresh=1000)
    axes.set_xticks([-1e5, -1e4, -1e3, 0, 1e3])
    axes.set_yticks(range(len(samples)), [NAMES[kind] for kind in samples])
    axes.invert_yaxis()
    axes.set(xlabel="log-likelihood (nats; logarithmic beyond 1000)")
    axes.set_title("other images: median and 5–95 %")


def _distances(axes: Axes, distances: np.ndarray, latents: dict[str, Any]) -> None:
    axes.plot(np.arange(1, len(distances) + 1), np.sort(distances)[::-1], color=style.BLUE)
    critical = latents["critical_distance"]["value"]
    axes.axhline(
        critical,
        color=style.GREY,
        lw=1,
        ls=":",
        label=f"{critical:.4f}: a logistic latent in 100 exceeds it",
    )
    rejected = latents["share_rejected_at_1_percent"]["value"]
    axes.set(xlabel="latent dimension, sorted", ylabel="Kolmogorov–Smirnov distance", ylim=0)
    axes.set_title(f"{100 * rejected:.0f} % of latents are not logistic (1 % level)")
    axes.legend(loc="upper right")


def _quantiles(axes: Axes, percentiles: np.ndarray) -> None:
    exact = stats.logistic.ppf(np.arange(1, 100) / 100)
    low, middle, high = np.percentile(percentiles, [5, 50, 95], axis=0)
    axes.fill_between(exact, low, high, color=style.BLUE, alpha=0.25, lw=0,
                      label="5–95 % of latents")  # fmt: skip
    axes.plot(exact, middle, color=style.BLUE, label="median latent")
    axes.plot(exact, exact, color=style.GREY, lw=1, ls=":", label="the prior")
    axes.set(xlabel="percentile of the logistic", ylabel="percentile of the latent")
    axes.set_title("latents of test images, percentiles 1 to 99")
    axes.legend(loc="upper left")
