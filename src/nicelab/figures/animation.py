"""The ascent from grey behind every mask, as a moving picture."""

from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.inpainting.records import Exhibits
from nicelab.pipeline.metrics import Metrics

COLUMNS = 6


def draw(found: Exhibits, metrics: Metrics) -> list[Figure]:
    """One figure for each frame, with its mean squared error; the last shows the completions."""
    error = found.traces["grey"].error.mean(1)
    titles = [metrics["labels"]["masks"][name] for name in found.names.tolist()]
    rows = -(-len(titles) // COLUMNS)
    figures = []
    for step, images in zip(found.frame_steps, found.frames, strict=True):
        figure = style.new(
            f"{style.whose(metrics)}, ascent from grey, step {step:3d}: squared error of "
            f"{metrics['ascended']} images {error[step]:.3f}",
            height=0.5 + 1.75 * rows,
        )
        grid = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
        for axes in grid:
            axes.set_axis_off()
        for axes, title, image in zip(grid, titles, images, strict=False):
            style.picture(axes, image, found.shape, title)
        figures.append(figure)
    return figures
