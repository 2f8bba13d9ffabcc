"""Several completions of one image, their mean and spread; coverage of the chains."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from nicelab.figures import style
from nicelab.inpainting.records import Exhibits
from nicelab.inpainting.verdicts import accepted
from nicelab.pipeline.metrics import Metrics

MASKS = 5  # of which the draws are shown
DRAWS = 4


def draw(found: Exhibits, metrics: Metrics) -> Figure:
    """Draws, mean and standard deviation behind some masks; coverage behind all."""
    posterior = metrics["posterior"]
    nominal = posterior["nominal_coverage"].value
    shares = [mask["coverage_of_uncertain"].value for mask in posterior["masks"].values()]
    mixed = len(accepted(posterior))
    figure = style.new(
        f"{style.whose(metrics)}: intervals between independent chains, of nominal coverage "
        f"{100 * nominal:.0f} %,\ncover {100 * min(shares):.0f} to {100 * max(shares):.0f} % "
        f"of the uncertain pixels; long chains mix behind {mixed} of {len(shares)} masks",
        height=8.0,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[2.2, 1])
    _draws(above, found, metrics["labels"]["masks"])
    _coverage(below.subplots(), posterior, metrics["labels"]["masks"])
    return figure


def _draws(figure: SubFigure, found: Exhibits, labels: Metrics) -> None:
    """Some masks down; original, observed, chains, mean and spread across."""
    masks, count = len(found.names), min(DRAWS, found.chains.shape[1])
    shown = range(0, masks, -(-masks // MASKS))
    grid = figure.subplots(len(shown), count + 4, squeeze=False)
    top = found.standard_deviation[list(shown)].max()
    for row, k in zip(grid, shown, strict=True):
        images = {
            "original": found.truth,
            "observed": np.where(found.hidden[k], 0.5, found.truth),
            **{f"chain {c + 1}": found.chains[k, c].clip(0, 1) for c in range(count)},
            "mean": found.mean[k].clip(0, 1),
        }
        for axes, (title, image) in zip(row, images.items(), strict=False):
            style.picture(axes, image, found.shape, "" if k else title)
        style.beside(row[0], fill(labels[str(found.names[k])], 10), 8)
        deviation = found.standard_deviation[k].reshape(found.shape).mean(0)
        spread = row[-1].imshow(deviation, cmap="cividis", vmin=0, vmax=top)
        row[-1].set_axis_off()
        row[-1].set_title("" if k else "spread")
    figure.colorbar(spread, ax=grid[:, -1], shrink=0.7, label="standard deviation (grey range)")


def _coverage(axes: Axes, posterior: Metrics, labels: Metrics) -> None:
    coverage = [mask["coverage_of_uncertain"] for mask in posterior["masks"].values()]
    x, nominal = np.arange(len(coverage)), posterior["nominal_coverage"].value
    style.intervals(axes, x, coverage, style.BLUE, "o", label="measured, 95 % interval")
    axes.axhline(nominal, color=style.GREY, ls=":", lw=1.2, label="nominal")
    axes.set(ylabel="coverage", ylim=(0, 1))
    names = [labels[name] for name in posterior["masks"]]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_title(
        f"between the last draws of {posterior['chains']} chains, where they or the truth differ; "
        f"{coverage[0].n} images"
    )
    axes.legend(loc="lower right")
