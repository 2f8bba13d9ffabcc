"""The training curve."""

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


def draw(found: Curve, metrics: Metrics) -> Figure:
    """Training and validation log-likelihood against epochs."""
    figure = style.new(
        f"{metrics['dataset']}: validation log-likelihood reaches "
        f"{estimate(metrics['validation']['log_likelihood'])} nats "
        f"in epoch {metrics['best_epoch']}",
        height=3.6,
    )
    axes = figure.subplots()
    axes.plot(
        found.epoch,
        found.training_log_likelihood,
        color=style.ORANGE,
        ls="--",
        label="training images, mean over the epoch",
    )
    axes.plot(
        found.epoch, found.validation_log_likelihood, color=style.BLUE, label="validation images"
    )
    axes.fill_between(
        found.epoch,
        *found.validation_interval(),
        color=style.BLUE,
        alpha=0.2,
        lw=0,
        label="95 % interval over validation images",
    )
    if metrics["dataset"] == "MNIST":
        _published(axes, found.epoch[-1])
    axes.set(xlabel="epoch", ylabel="log-likelihood (nats per image)")
    axes.legend(loc="lower right")
    return figure


def _published(axes: Axes, right: float) -> None:
    for name, value in PUBLISHED.items():
        axes.axhline(value, color=style.GREY, lw=1, ls=":")
        style.note(axes, f"{value:.2f}  {name}", right, value)
