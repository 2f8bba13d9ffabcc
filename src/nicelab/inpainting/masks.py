"""Which pixels are hidden: the vocabulary of masks in the parameter file.

A mask has a label, which figures and tables show, and one of

    box: {rows: [5, 11], columns: [5, 19]}        first and last, counted from 0
    rows: [7, 20]                                 these rows, all columns
    columns: [7, 20]                              these columns, all rows
    half: top                                     or bottom, left, right
    every_second: even                            or odd: pixels counted row by row from 0
    random: {share: 0.75, seed: 0}                each pixel with this probability, image by image
    file: scratch.png                             white pixels of a picture

Rows, columns and pictures are of 28 × 28, as MNIST has them; on other images they are stretched.
A pixel of a colour image is hidden in all of its channels.

To add a kind, write a class with a field of its own and `hidden`, and name it in `KINDS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import AfterValidator, Field, PlainValidator
from torch import Tensor

from nicelab.errors import InputError
from nicelab.images.levels import LEVELS
from nicelab.images.pictures import read_levels
from nicelab.images.shapes import MNIST, SIDE, Shape
from nicelab.pipeline.params import Section
from nicelab.streams import generator


def _in_order(span: list[int]) -> list[int]:
    if span[0] > span[1]:
        raise ValueError(
            f"must be [first, last] with first <= last, else no pixel is hidden, got {span}"
        )
    return span


Span = Annotated[
    list[Annotated[int, Field(ge=0, lt=SIDE)]],
    Field(min_length=2, max_length=2),
    AfterValidator(_in_order),
]


class Mask(Section, ABC):
    """One entry of the vocabulary."""

    label: Annotated[str, Field(min_length=1)]

    @abstractmethod
    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """True where a pixel is hidden, shape (height, width).

        Args:
            folder: where pictures of masks are.
            height: of the images.
            width: of them.

        Raises:
            InputError: the picture cannot be used.
        """

    def each(self, folder: Path, images: int, shape: Shape) -> Tensor:
        """The same for each of so many images, shape (images, D), unless a kind draws anew."""
        channels, *sides = shape
        return self.hidden(folder, *sides).expand(images, channels, -1, -1).flatten(1)


class Corners(Section):
    """Rows and columns, first and last included."""

    rows: Span
    columns: Span


class Box(Mask):
    """These rows of these columns."""

    box: Corners

    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """The box."""
        rows, columns = _stretch(self.box.rows, height), _stretch(self.box.columns, width)
        return _block(height, width, rows, columns)


class Rows(Mask):
    """Whole rows."""

    rows: Span

    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """The rows."""
        return _block(height, width, rows=_stretch(self.rows, height))


class Columns(Mask):
    """Whole columns."""

    columns: Span

    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """The columns."""
        return _block(height, width, columns=_stretch(self.columns, width))


class Half(Mask):
    """One half of the image."""

    half: Literal["top", "bottom", "left", "right"]

    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """The half."""
        middle = (height if self.half in ("top", "bottom") else width) // 2
        half = slice(middle) if self.half in ("top", "left") else slice(middle, None)
        if self.half in ("top", "bottom"):
            return _block(height, width, rows=half)
        return _block(height, width, columns=half)


class EverySecond(Mask):
    """Every second pixel, as a coupling of the flow takes them."""

    every_second: Literal["even", "odd"]

    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """The even or the odd ones."""
        parity = torch.arange(height * width).view(height, width) % 2
        return parity == ("even", "odd").index(self.every_second)


class Chance(Section):
    """The probability with which a pixel is hidden."""

    share: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0)]


class Random(Mask):
    """Each pixel on its own, with the same probability."""

    random: Chance

    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """The first draw."""
        return self._draw(1, height, width)[0]

    def each(self, folder: Path, images: int, shape: Shape) -> Tensor:
        """A draw for each image, as Dinh et al. (2014, section 5.2) have it."""
        channels, *sides = shape
        return self._draw(images, *sides)[:, None].expand(-1, channels, -1, -1).flatten(1)

    def _draw(self, images: int, height: int, width: int) -> Tensor:
        random = generator(self.random.seed, "mask")
        uniform = torch.rand(images, height * width, generator=random)
        return (uniform < self.random.share).view(images, height, width)


class Picture(Mask):
    """What a picture shows in white."""

    file: str

    def hidden(self, folder: Path, height: int, width: int) -> Tensor:
        """Where the picture in the folder is white."""
        return from_picture(folder / self.file, height, width)


KINDS: dict[str, type[Mask]] = {
    "box": Box,
    "rows": Rows,
    "columns": Columns,
    "half": Half,
    "every_second": EverySecond,
    "random": Random,
    "file": Picture,
}


def mask(given: Any) -> Mask:  # noqa: ANN401 - whatever the parameter file holds
    """The mask of the kind whose field is given."""
    if isinstance(given, Mask):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"must be such as {{label: top half, half: top}}, got {given!r}")
    kinds = [kind for kind in KINDS if kind in given]
    if len(kinds) != 1:
        named = ", ".join(kinds) or "none"
        raise ValueError(f"must have exactly one of {', '.join(KINDS)}, got {named}")
    return KINDS[kinds[0]].model_validate(given)


AnyMask = Annotated[Mask, PlainValidator(mask)]


def _block(
    height: int, width: int, rows: slice = slice(None), columns: slice = slice(None)
) -> Tensor:
    hidden = torch.zeros(height, width, dtype=torch.bool)
    hidden[rows, columns] = True
    return hidden


def _stretch(span: list[int], side: int) -> slice:
    """First and last of 28, on a side of another length: at least one."""
    first, last = (round(end * side / SIDE) for end in (span[0], span[1] + 1))
    first = min(first, side - 1)
    return slice(first, max(last, first + 1))


def from_picture(path: Path, height: int, width: int) -> Tensor:
    """The mask that a picture draws in white, shape (height, width).

    Raises:
        InputError: the picture cannot be used, or is not white here and black there.
    """
    levels = read_levels(path, {MNIST, (1, height, width)})
    rows, columns = (
        torch.arange(side) * found // side
        for side, found in zip((height, width), levels.shape[1:], strict=True)
    )
    hidden = levels[0][rows[:, None], columns] >= LEVELS // 2
    if not hidden.any():
        raise InputError(f"{path} hides nothing: paint the pixels to be hidden white")
    if hidden.all():
        raise InputError(f"{path} hides every pixel: paint the pixels to be kept black")
    return hidden
