"""The look of every figure, and how it is saved."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tqdm import trange

from nicelab.pipeline.files import writing
from nicelab.statistics import Estimate

# Okabe and Ito (2008): distinct under every common colour blindness.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#6E6E6E"
VEIL = np.array([0.34, 0.71, 0.91])  # of hidden pixels: sky blue
FLOWS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY)  # in the order of the families
WIDTH = 9.0  # inches
DPI = 160  # twice a screen's, at the width of the report's column
GREYS = 16  # of a moving picture

mpl.rcParams.update(
    {
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "figure.titlesize": 11.5,
        "figure.titleweight": "bold",
        "font.size": 9,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "lines.linewidth": 1.6,
    }
)


def new(finding: str, height: float) -> Figure:
    """A figure whose title is its finding; height in inches."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(finding, x=0.01, ha="left")
    return figure


def whose(metrics: Mapping[str, Any]) -> str:
    """The flow and the data that results belong to."""
    return f"{metrics['flow']} on {metrics['dataset']}"


def note(axes: Axes, text: str, right: float, y: float, *, below: bool = False) -> None:
    """A small text that ends at a point, just above it, or below."""
    axes.annotate(
        text,
        (right, y),
        xytext=(0, -3 if below else 3),
        textcoords="offset points",
        ha="right",
        va="top" if below else "bottom",
        fontsize=8,
        color=GREY,
    )


def mark(axes: Axes, x: float, y: float, label: str) -> None:
    """Give a point a text, which the report shows under the mouse."""
    axes.add_artist(Dot((x, y), label=label, visible=False))


class Dot(Annotation):
    """A point with a text that is not drawn."""

    def __init__(self, xy: tuple[float, float], label: str, visible: bool) -> None:
        super().__init__("", xy, visible=visible, in_layout=False)
        self.label = label


def _dots(figures: Sequence[Figure]) -> str:
    """All such points with their places in the picture, per cent from left and top, as JSON."""
    whole, above, found = sum(figure.get_figheight() for figure in figures), 0.0, []
    for figure in figures:
        height = figure.get_figheight()
        for dot in figure.findobj(Dot):
            left, bottom = figure.transFigure.inverted().transform(
                dot.axes.transData.transform(dot.xy)
            )
            top = (above + (1 - bottom) * height) / whole
            place = {"left": round(100 * left, 2), "top": round(100 * top, 2)}
            found.append({**place, "label": dot.label})
        above += height
    return json.dumps(found)


def _drawn(figures: Sequence[Figure]) -> Image.Image:
    """Figures below one another as one picture."""
    parts = []
    for figure in figures:
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI)
        parts.append(Image.open(buffer).convert("RGB"))
    picture = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)))
    above = 0
    for part in parts:
        picture.paste(part, (0, above))
        above += part.height
    return picture


def save(figures: Sequence[Figure], path: Path) -> None:
    """Write figures below one another as a PNG of 256 colours, a third of the size.

    Its bytes depend on the picture alone.
    """
    picture, notes = _drawn(figures), PngInfo()
    notes.add_text("dots", _dots(figures))
    with writing(path) as temporary, temporary.open("wb") as file:
        picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            file, format="PNG", optimize=True, pnginfo=notes
        )


def save_animation(films: Sequence[Sequence[Figure]], path: Path, seconds: float = 4.0) -> None:
    """Write films below one another as an animated PNG that plays once and stays at its last.

    A film that is shorter than another waits at its last figure. It has few greys, for a smaller
    file.
    """
    longest = max(map(len, films))
    frames = [
        _drawn([film[min(k, len(film) - 1)] for film in films]).convert("L").point(_few_greys)
        for k in trange(longest, desc="frames", disable=None)
    ]
    duration = round(1000 * seconds / len(frames))
    with writing(path) as temporary, temporary.open("wb") as file:
        frames[0].save(
            file, format="PNG", save_all=True, append_images=frames[1:], duration=duration, loop=1
        )


def _few_greys(level: int) -> int:
    return round(round(level / 255 * (GREYS - 1)) / (GREYS - 1) * 255)


def band(axes: Axes, mean: np.ndarray, error: np.ndarray, colour: str, label: str) -> None:
    """A mean against steps, both (t,), with a band of ±1 standard error."""
    axes.plot(mean, color=colour, label=label)
    steps = np.arange(len(mean))
    axes.fill_between(steps, mean - error, mean + error, color=colour, alpha=0.2, lw=0)


def intervals(
    axes: Axes, x: np.ndarray, values: list[Estimate], colour: str, marker: str, label: str
) -> None:
    """Estimates with their 95 % intervals."""
    axes.errorbar(
        x,
        [value.value for value in values],
        [value.margin for value in values],
        fmt=marker,
        ms=4.5,
        capsize=2,
        lw=1,
        color=colour,
        label=label,
    )


def beside(axes: Axes, text: str, size: float) -> None:
    """A text to the left of a picture."""
    axes.text(-0.08, 0.5, text, ha="right", va="center", transform=axes.transAxes, fontsize=size)


def log_sigma(axes: Axes) -> None:
    """A vertical axis even in log σ, labelled by σ."""
    ticks = [0.2, 0.5, 1, 2, 5]
    axes.set_yscale("log")
    axes.set_yticks(ticks, [f"{x:g}" for x in ticks])
    axes.minorticks_off()
    axes.set(ylabel="σ (even in log σ)")


def picture(axes: Axes, pixels: np.ndarray, shape: np.ndarray, title: str) -> None:
    """Show a picture of shape (D,), or (D, 3) for a grey one in colours."""
    if pixels.ndim == 2:
        _, height, width = shape
        image(axes, pixels.reshape(height, width, 3), title)
    else:
        image(axes, _upright(pixels, shape), title)


def image(axes: Axes, pixels: np.ndarray, title: str) -> None:
    """Show one picture of levels in [0, 1], black to white."""
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


def tile(images: np.ndarray, shape: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Images of shape (n, D) as one picture, row by row, clipped to [0, 1]."""
    pictures = _upright(images.clip(0, 1), shape)
    count, height, width, *channels = pictures.shape
    rows = -(-count // columns)
    sheet = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, *channels))
    for k, each in enumerate(pictures):
        i, j = divmod(k, columns)
        top, left = i * (height + gap), j * (width + gap)
        sheet[top : top + height, left : left + width] = each
    return sheet


def veiled(pixels: np.ndarray, hidden: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """A picture whose hidden pixels have the colour `VEIL`, shape (height · width, 3)."""
    colours, over = (
        np.broadcast_to(x.reshape(shape[0], -1).T, (len(x) // shape[0], 3))
        for x in (pixels, hidden)
    )
    return np.where(over, VEIL, colours)


def _upright(images: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Images (*, D) as (*, height, width), or in colour (*, height, width, 3)."""
    pictures = np.moveaxis(images.reshape(*images.shape[:-1], *shape), -3, -1)
    return pictures[..., 0] if shape[0] == 1 else pictures
