"""Which pixels are hidden: the vocabulary of masks in the parameter file.

A mask is one of

    {box: {rows: [5, 11], columns: [5, 19]}}      first and last, counted from 0
    {rows: [7, 20]}                               these rows, all columns
    {columns: [7, 20]}                            these columns, all rows
    {half: top}                                   or bottom, left, right
    {every_second: even}                          or odd: pixels counted row by row from 0
    {random: {share: 0.75, seed: 0}}              each pixel with this probability
    {file: scratch.png}                           white pixels of a picture of 28 × 28

To add a kind, add a field to `Mask` and a case to `Mask.hidden`.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor

from nicelab.errors import InputError
from nicelab.images.levels import LEVELS, SIDE
from nicelab.images.pictures import read_levels
from nicelab.pipeline.params import Section
from nicelab.streams import generator

Span = Annotated[list[Annotated[int, Field(ge=0, lt=SIDE)]], Field(min_length=2, max_length=2)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0)]


def _in_order(span: list[int] | None) -> list[int] | None:
    if span and span[0] > span[1]:
        raise ValueError(f"must be [first, last] with first <= last, else no pixel is hidden, "
                         f"got {span}")  # fmt: skip
    return span


class Box(Section):
    """Rows and columns, first and last included."""

    rows: Span
    columns: Span

    _ordered = field_validator("rows", "columns")(_in_order)


class Random(Section):
    """Each pixel on its own, with this probability."""

    share: Share
    seed: Seed


class Mask(Section):
    """One entry of the vocabulary; exactly one field is given."""

    box: Box | None = None
    rows: Span | None = None
    columns: Span | None = None
    half: Literal["top", "bottom", "left", "right"] | None = None
    every_second: Literal["even", "odd"] | None = None
    random: Random | None = None
    file: str | None = None

    _ordered = field_validator("rows", "columns")(_in_order)

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        given = self._given()
        if len(given) != 1:
            kinds = ", ".join(type(self).model_fields)
            raise ValueError(f"must have exactly one of {kinds}, got {', '.join(given) or 'none'}")
        return self

    def _given(self) -> dict[str, Any]:
        return {name: value for name, value in self if value is not None}

    def hidden(self, folder: Path) -> Tensor:
        """True where a pixel is hidden, shape (784,).

        Args:
            folder: where the pictures of `file` masks are.

        Raises:
            InputError: the picture cannot be used.
        """
        hidden = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        ((kind, value),) = self._given().items()
        match kind, value:
            case "box", _:
                hidden[_slice(value.rows), _slice(value.columns)] = True
            case "rows", _:
                hidden[_slice(value)] = True
            case "columns", _:
                hidden[:, _slice(value)] = True
            case "half", "top":
                hidden[: SIDE // 2] = True
            case "half", "bottom":
                hidden[SIDE // 2 :] = True
            case "half", "left":
                hidden[:, : SIDE // 2] = True
            case "half", "right":
                hidden[:, SIDE // 2 :] = True
            case "every_second", _:
                hidden.view(-1)[("even", "odd").index(value) :: 2] = True
            case "random", _:
                uniform = torch.rand(hidden.shape, generator=generator(value.seed, "mask"))
                hidden = uniform < value.share
            case "file", _:
                hidden = from_picture(folder / value)
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
