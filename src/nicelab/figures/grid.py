"""What the flows draw, before anything is said of it."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.likelihood.records import Samples
from nicelab.pipeline.metrics import Metrics

COLUMNS, ROWS = 16, 2


def draw(found: Mapping[str, Samples], metrics: Mapping[str, Metrics]) -> Figure:
    """The first samples of every flow."""
    data = next(iter(metrics.values()))["dataset"]
    figure = style.new(
        f"What they draw after training on {data}: the first samples, none chosen",
        height=0.4 + 1.35 * len(found),
    )
    panels = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for axes, (family, samples) in zip(panels, found.items(), strict=True):
        shown = samples.samples[: COLUMNS * ROWS]
        sheet = style.tile(shown, samples.shape, min(COLUMNS, len(shown)))
        style.image(axes, sheet, metrics[family]["flow"])
    return figure
