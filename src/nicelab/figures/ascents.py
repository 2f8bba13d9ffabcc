"""Which rule converges behind which mask."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from nicelab.figures import style
from nicelab.formatting import number
from nicelab.inpainting.records import Exhibits
from nicelab.inpainting.verdicts import masks_with_a_gain, share_converged
from nicelab.pipeline.metrics import Metrics

LOOKS = {
    "paper": (style.ORANGE, "D"),
    "gradient_zeroed": (style.BLUE, "s"),
    "paper_released": (style.PURPLE, "v"),
    "as_printed": (style.RED, "^"),
    "decaying": (style.GREEN, "o"),
}
STARTS = {"grey": style.GREEN, "gaussian": style.BLUE}
LINEAR = 1000  # nats about the truth within which the axis is linear
TICKS = (-1e5, -1e4, -1e3, 0, 1e3)


def draw(found: Exhibits, metrics: Metrics) -> Figure:
    """Log p after the last step less the truth's, by rule and mask; traces of our rule."""
    gains = {rule: masks_with_a_gain(metrics["published"][rule]) for rule in LOOKS}
    ours, masks = gains.pop("decaying"), len(found.names)
    steps = len(found.traces["paper"].error) - 1
    figure = style.new(
        f"{style.whose(metrics)}: after {steps} steps ours is likelier than the original behind "
        f"{ours} of {masks} masks,\nthe best published rule behind {max(gains.values())}; "
        f"{100 * share_converged(metrics['ascent']):.0f} % of our "
        f"{2 * masks * metrics['ascended']} ascents converge",
        height=7.0,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[1.25, 1])
    _rules(above, metrics, steps)
    _starts(*below.subplots(1, 2), found, metrics)
    return figure


def _rules(figure: SubFigure, metrics: Metrics, steps: int) -> None:
    """The gain of every rule behind every mask."""
    published, labels = metrics["published"], metrics["labels"]
    axes = figure.subplots()
    for shift, (rule, (colour, marker)) in enumerate(LOOKS.items()):
        gains = [mask["log_likelihood_less_truth"] for mask in published[rule].values()]
        x = np.arange(len(gains)) + 0.13 * (shift - 2)
        style.intervals(axes, x, gains, colour, marker, label=labels["rules"][rule])
    axes.axhline(0, color=style.GREY, ls=":", lw=1.2)
    axes.set_yscale("symlog", linthresh=LINEAR)
    names = [labels["masks"][name] for name in published["paper"]]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_ylabel("log p(x) less the original's (nats)")
    count = next(iter(published["paper"].values()))["squared_error"].n
    axes.set_title(
        f"mean of the same {count} images after {steps} steps, 95 % intervals; "
        f"linear within ±{LINEAR} nats"
    )
    axes.set_ylim(top=3 * LINEAR)  # intervals of a rule that fails may reach far above
    axes.set_yticks(TICKS, [number(tick, ".0e") if tick else "0" for tick in TICKS])
    axes.minorticks_off()
    figure.legend(ncols=3, loc="outside upper left", columnspacing=1.0, handletextpad=0.2)


def _starts(left: Axes, right: Axes, found: Exhibits, metrics: Metrics) -> None:
    """Our rule from both starts, mean over masks."""
    methods = metrics["labels"]["methods"]
    for start, colour in STARTS.items():
        trace, label = found.traces[start], methods[f"ascent_from_{start}"]
        left.plot(trace.log_prob.mean(1), color=colour, label=label)
        right.plot(trace.error.mean(1), color=colour, label=label)
    truth = metrics["ascended_truth"]["log_likelihood"].value
    left.axhline(truth, color=style.GREY, ls=":", lw=1.2, label="the original images")
    left.set_ylim(truth - 2 * LINEAR, truth + 0.6 * LINEAR)
    left.set(xlabel="step", ylabel="log p(x) (nats)", title="mean over images and masks")
    left.legend(loc="lower right")
    right.set(xlabel="step", ylabel="squared error", ylim=(0, None))
    right.set_title("on hidden pixels")
