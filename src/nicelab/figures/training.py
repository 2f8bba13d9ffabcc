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
    "Dinh et al. (2014), 1500 epochs, test": NICE_LOG_LIKELIHOOD,
    "public re-implementation, 70 epochs": REIMPLEMENTATION_LOG_LIKELIHOOD,
}


def draw(found: Mapping[str, Curve], metrics: Mapping[str, Metrics]) -> Figure:
    """Training and validation log-likelihood against epochs, a panel for every flow."""
    data = next(iter(metrics.values()))["dataset"]
    height = 0.9 + 2.5 * len(found)
    figure = style.new(f"{data}, validation log-likelihood: {_finding(metrics)}", height)
    rows = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for axes, colour, (family, curve) in zip(rows, style.FLOWS, found.items(), strict=False):
        flow = metrics[family]["flow"]
        _curve(axes, curve, colour)
        if data == "MNIST" and flow == "NICE":
            _published(axes, curve.epoch[-1])
        axes.set(ylabel="log-likelihood (nats per image)", title=flow)
        axes.legend(loc="lower right", title="shaded: 95 % interval over images", alignment="left")
    rows[-1].set(xlabel="epoch")
    return figure


def _finding(metrics: Mapping[str, Metrics]) -> str:
    return ",\n".join(
        f"{x['flow']} reaches {estimate(x['validation']['log_likelihood'])} nats "
        f"in epoch {x['best_epoch']}"
        for x in metrics.values()
    )


def _curve(axes: Axes, curve: Curve, colour: str) -> None:
    axes.plot(
        curve.epoch,
        curve.training_log_likelihood,
        color=colour,
        ls="--",
        label="training images, mean over the epoch",
    )
    axes.plot(
        curve.epoch,
        curve.validation_log_likelihood,
        color=colour,
        label="validation images",
    )
    axes.fill_between(curve.epoch, *curve.validation_interval(), color=colour, alpha=0.2, lw=0)


def _published(axes: Axes, right: float) -> None:
    lowest = min(PUBLISHED.values())
    for name, value in PUBLISHED.items():
        axes.axhline(value, color=style.GREY, lw=1, ls=":")
        style.note(axes, f"{value:.2f}  {name}", right, value, below=value == lowest)
