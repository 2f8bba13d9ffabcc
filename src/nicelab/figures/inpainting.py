"""The sheet's picture and its two rules, beside one that converges."""

from collections.abc import Mapping
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.inpainting.records import Exhibits
from nicelab.pipeline.metrics import Metrics

COLOURS = {"as_printed": style.RED, "gradient_zeroed": style.BLUE}  # of the sheet's rules
SHOWN_BELOW = 1500  # nats below the start of the sheet's rules; what is lower is cut off


def draw(found: Mapping[str, Exhibits], metrics: Mapping[str, Metrics]) -> Figure:
    """The sheet's run, which is of one flow: the first."""
    return _run(*(next(iter(of_all.values())) for of_all in (found, metrics)))


def _run(found: Exhibits, metrics: Metrics) -> Figure:
    """Original, corrupted and reconstructions; log p and error of all images against steps."""
    printed, zeroed = (metrics["methods"][rule]["squared_error"] for rule in COLOURS)
    figure = style.new(
        f"{style.whose(metrics)}, behind the sheet's box: squared error on hidden pixels\n"
        f"{estimate(zeroed)} with the gradient zeroed, {estimate(printed)} as printed "
        f"({zeroed.n} test images)",
        height=5.6,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.25])
    sheet, rules = int(found.sheet), metrics["labels"]["rules"]
    pictures = {
        "original": found.truth,
        "corrupted": np.where(found.hidden[sheet], 1.0, found.truth),
        **{rules[rule]: found.sheets[rule].image for rule in COLOURS},
        rules["decaying"]: found.by["ascent_from_grey"][sheet],
    }
    for axes, (title, image) in zip(above.subplots(1, 5), pictures.items(), strict=True):
        style.picture(axes, image, found.shape, "")
        axes.set_title(fill(title, 20), fontsize=8.5)
    left, right = below.subplots(1, 2)
    _traces(left, right, found, rules)
    truth = metrics["sheet_truth"]["log_likelihood"].value
    left.axhline(truth, color=style.GREY, ls=":", lw=1.2, label="the original images")
    left.set_ylim(truth - SHOWN_BELOW, truth + SHOWN_BELOW / 4)
    left.set(xlabel="step", ylabel="mean log p(x) (nats)")
    left.set_title(f"{zeroed.n} images; shaded: ±1 standard error")
    left.legend(loc="lower right")
    right.set(xlabel="step", ylabel="squared error on hidden pixels", ylim=(0, None))
    right.set_title("the same images")
    return figure


def _traces(left: Axes, right: Axes, found: Exhibits, rules: Metrics) -> None:
    """Both of the sheet's rules behind its mask, and ours from grey."""
    lines = [(f"sheet_{rule}", 0, rules[rule], colour) for rule, colour in COLOURS.items()]
    lines.append(("sheet_decaying", 0, f"{rules['decaying']}, from grey", style.GREEN))
    for name, k, label, colour in lines:
        trace = found.traces[name]
        style.band(left, trace.log_prob[:, k], trace.log_prob_standard_error[:, k], colour, label)
        style.band(right, trace.error[:, k], trace.error_standard_error[:, k], colour, label)
