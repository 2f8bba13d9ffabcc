"""Which pixels are hidden: the vocabulary of masks in the parameter file.

A mask has a label, which figures and tables show, and one of

    box: {rows: [5, 11], columns: [5, 19]}        first and last, counted from 0
    rows: [7, 20]                                 these rows, all columns
    columns: [7, 20]                              these columns, all rows
    half: top                                     or bottom, left, right
    every_second: even                            or odd: pixels counted row by row from 0
    random: {share: 0.75, seed: 0}                each pixel with this probability, image by image
    file: scratch.png                             white pixels of a picture of 28 × 28

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
from nicelab.images.shapes import PIXELS, SIDE
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
    def hidden(self, folder: Path) -> Tensor:
        """True where a pixel is hidden, shape (784,).

        Args:
            folder: where pictures of masks are.

        Raises:
            InputError: the picture cannot be used.
        """

    def each(self, folder: Path, images: int) -> Tensor:
        """The same for each of so many images, shape (images, 784), unless a kind draws anew."""
        return self.hidden(folder).expand(images, -1)


class Corners(Section):
    """Rows and columns, first and last included."""

    rows: Span
    columns: Span


class Box(Mask):
    """These rows of these columns."""

    box: Corners

    def hidden(self, folder: Path) -> Tensor:
        """The box."""
        return _block(_slice(self.box.rows), _slice(self.box.columns))


class Rows(Mask):
    """Whole rows."""

    rows: Span

    def hidden(self, folder: Path) -> Tensor:
        """The rows."""
        return _block(rows=_slice(self.rows))


class Columns(Mask):
    """Whole columns."""

    columns: Span

    def hidden(self, folder: Path) -> Tensor:
        """The columns."""
        return _block(columns=_slice(self.columns))


class Half(Mask):
    """One half of the image."""

    half: Literal["top", "bottom", "left", "right"]

    def hidden(self, folder: Path) -> Tensor:
        """The half."""
        half = slice(SIDE // 2) if self.half in ("top", "left") else slice(SIDE // 2, None)
        return _block(rows=half) if self.half in ("top", "bottom") else _block(columns=half)


class EverySecond(Mask):
    """Every second pixel, as a coupling of the flow takes them."""

    every_second: Literal["even", "odd"]

    def hidden(self, folder: Path) -> Tensor:
        """The even or the odd ones."""
        return torch.arange(SIDE**2) % 2 == ("even", "odd").index(self.every_second)


class Chance(Section):
    """The probability with which a pixel is hidden."""

    share: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0)]


class Random(Mask):
    """Each pixel on its own, with the same probability."""

    random: Chance

    def hidden(self, folder: Path) -> Tensor:
        """The first draw."""
        return self.each(folder, 1)[0]

    def each(self, folder: Path, images: int) -> Tensor:
        """A draw for each image, as Dinh et al. (2014, section 5.2) have it."""
        uniform = torch.rand(images, PIXELS, generator=generator(self.random.seed, "mask"))
        return uniform < self.random.share


class Picture(Mask):
    """What a picture shows in white."""

    file: str

    def hidden(self, folder: Path) -> Tensor:
        """Where the picture in the folder is white."""
        return from_picture(folder / self.file)


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


def _block(rows: slice = slice(None), columns: slice = slice(None)) -> Tensor:
    hidden = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    hidden[rows, columns] = True
    return hidden.flatten()


def _slice(span: list[int]) -> slice:
    return slice(span[0], span[1] + 1)


def from_picture(path: Path) -> Tensor:
    """The mask that a picture draws in white, shape (784,).

    Raises:
        InputError: the picture cannot be used, or is not white here and black there.
    """
    hidden = read_levels(path) >= LEVELS // 2
    if not hidden.any():
        raise InputError(f"{path} hides nothing: paint the pixels to be hidden white")
    if hidden.all():
        raise InputError(f"{path} hides every pixel: paint the pixels to be kept black")
    return hidden
