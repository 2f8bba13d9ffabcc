"""One image behind every mask, completed by every method."""

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.inpainting.records import Exhibits
from nicelab.inpainting.verdicts import least_error
from nicelab.pipeline.metrics import Metrics

LEFT_OUT = ("median",)  # it looks like the mean
WIDE = 13  # letters in a line of a heading


def draw(found: Exhibits, metrics: Metrics) -> Figure:
    """A gallery, masks down and methods across, with the error of each completion."""
    labels, names = metrics["labels"], found.names.tolist()
    methods = [method for method in found.by if method not in LEFT_OUT]
    best = labels["methods"][least_error(metrics["mean_over_masks"])]
    figure = style.new(
        f"{style.whose(metrics)}: one test image behind {len(names)} masks, errors below each;\n"
        f"over {metrics['images']} images the least squared error is that of: {best}",
        height=0.6 + 0.86 * len(names),
    )
    grid = figure.subplots(len(names), len(methods) + 1)
    for k, name in enumerate(names):
        corrupted = style.veiled(found.truth, found.hidden[k], found.shape)
        style.picture(grid[k][0], corrupted, found.shape, "")
        style.beside(grid[k][0], fill(labels["masks"][name], WIDE), 7.5)
        for axes, method in zip(grid[k][1:], methods, strict=True):
            _completion(axes, found, method, k)
    headings = ["hidden pixels blue", *(labels["methods"][method] for method in methods)]
    for axes, heading in zip(grid[0], headings, strict=True):
        axes.set_title(fill(heading, WIDE), fontsize=7.5, loc="center")
    return figure


def _completion(axes: Axes, found: Exhibits, method: str, k: int) -> None:
    style.picture(axes, found.by[method][k], found.shape, "")
    text = f"{found.squared_error(method, k):.3f}"
    axes.text(0.5, -0.04, text, ha="center", va="top", transform=axes.transAxes, fontsize=6.5)
