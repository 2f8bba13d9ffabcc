"""The ascent from grey behind every mask, as a moving picture."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style

COLUMNS = 6


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> list[Figure]:
    """One figure for each frame; the last shows the completions."""
    names = arrays["names"].tolist()
    rows = -(-len(names) // COLUMNS)
    side = int(np.sqrt(arrays["truth"].size))
    figures = []
    for step, images in zip(arrays["frame_steps"], arrays["frames"], strict=True):
        figure = style.new(
            f"{metrics['dataset']}: the ascent fills in the strokes; step {step:3d}",
            height=0.5 + 1.75 * rows,
        )
        grid = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
        for axes in grid:
            axes.set_axis_off()
        titles = style.words(names)
        for axes, title, image in zip(grid, titles, images, strict=False):
            style.image(axes, image.reshape(side, side), title)
        figures.append(figure)
    return figures
