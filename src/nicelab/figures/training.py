"""The training curves."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.likelihood.records import Curve
from nicelab.pipeline.metrics import Metrics
from nicelab.published import NICE_LOG_LIKELIHOOD, REIMPLEMENTATION_LOG_LIKELIHOOD

PUBLISHED = {
    "NICE, Dinh et al. (2014), 1500 epochs, test": NICE_LOG_LIKELIHOOD,
    "NICE, public re-implementation, 70 epochs": REIMPLEMENTATION_LOG_LIKELIHOOD,
}


def draw(found: Mapping[str, Curve], metrics: Mapping[str, Metrics]) -> Figure:
    """Training and validation log-likelihood of every flow against epochs."""
    data = next(iter(metrics.values()))["dataset"]
    figure = style.new(f"{data}, validation log-likelihood: {_finding(metrics)}", height=3.6)
    axes = figure.subplots()
    for colour, (family, curve) in zip(style.FLOWS, found.items(), strict=False):
        _curve(axes, curve, metrics[family]["flow"], colour)
    if data == "MNIST":
        _published(axes, max(curve.epoch[-1] for curve in found.values()))
    axes.set(xlabel="epoch", ylabel="log-likelihood (nats per image)")
    axes.legend(loc="lower right", title="shaded: 95 % interval over images", alignment="left")
    return figure


def _finding(metrics: Mapping[str, Metrics]) -> str:
    return ",\n".join(
        f"{x['flow']} reaches {estimate(x['validation']['log_likelihood'])} nats "
        f"in epoch {x['best_epoch']}"
        for x in metrics.values()
    )


def _curve(axes: Axes, curve: Curve, flow: str, colour: str) -> None:
    axes.plot(
        curve.epoch,
        curve.training_log_likelihood,
        color=colour,
        ls="--",
        label=f"{flow}, training images, mean over the epoch",
    )
    axes.plot(
        curve.epoch,
        curve.validation_log_likelihood,
        color=colour,
        label=f"{flow}, validation images",
    )
    axes.fill_between(curve.epoch, *curve.validation_interval(), color=colour, alpha=0.2, lw=0)


def _published(axes: Axes, right: float) -> None:
    for name, value in PUBLISHED.items():
        axes.axhline(value, color=style.GREY, lw=1, ls=":")
        style.note(axes, f"{value:.2f}  {name}", right, value)
