"""The training curve."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.published import NICE_LOG_LIKELIHOOD, REIMPLEMENTATION_LOG_LIKELIHOOD


def draw(curve: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Training and validation log-likelihood against epochs."""
    best = metrics["validation"]["log_likelihood"]
    figure = style.new(
        f"{metrics['dataset']}: validation log-likelihood reaches {estimate(best)} nats "
        f"in epoch {metrics['best_epoch']}",
        height=3.6,
    )
    axes = figure.subplots()
    epoch, mean = curve["epoch"], curve["validation_log_likelihood"]
    error = 1.96 * curve["validation_standard_error"]
    axes.plot(
        epoch,
        curve["training_log_likelihood"],
        color=style.ORANGE,
        ls="--",
        label="training images, mean over the epoch",
    )
    axes.plot(epoch, mean, color=style.BLUE, label="validation images")
    axes.fill_between(
        epoch,
        mean - error,
        mean + error,
        color=style.BLUE,
        alpha=0.2,
        lw=0,
        label="95 % interval over validation images",
    )
    if metrics["dataset"] == "MNIST":
        for value, name in (
            (NICE_LOG_LIKELIHOOD, "Dinh et al. (2014), 1500 epochs, test"),
            (REIMPLEMENTATION_LOG_LIKELIHOOD, "public re-implementation, 70 epochs"),
        ):
            axes.axhline(value, color=style.GREY, lw=1, ls=":")
            axes.annotate(
                f"{value:.2f}  {name}",
                (epoch[-1], value),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=8,
                color=style.GREY,
            )
    axes.set(xlabel="epoch", ylabel="log-likelihood (nats per image)")
    axes.legend(loc="lower right")
    return figure
