"""Families of flows by name: every package of `flows/families` is one.

Nothing is imported but their names, so that a reader of results depends on no flow's code.
"""

from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, RootModel

from nicelab.flows import families
from nicelab.pipeline.params import load


def names() -> list[str]:
    """All families."""
    return sorted(module.name for module in iter_modules(families.__path__))


def known(name: str) -> str:
    """The name, once it is known to be a family's.

    Raises:
        ValueError: it is not.
    """
    if name not in names():
        raise ValueError(f"must be one of {', '.join(names())}, got {name!r}")
    return name


def distinct(chosen: list[str]) -> list[str]:
    """The names, once it is known that none comes twice.

    Raises:
        ValueError: one does.
    """
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"must be different families, got {', '.join(chosen)}")
    return chosen


Name = Annotated[str, AfterValidator(known)]
Names = Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)]


class Families(RootModel[Names]):
    """The families that are trained, measured and inpainted; the first is the sheet's."""

    model_config = ConfigDict(frozen=True, strict=True)


def chosen(params: Path) -> list[str]:
    """The families of a parameter file, in its order.

    Raises:
        InputError: there are none, one is unknown, or one is named twice.
    """
    return load(params, "families", Families).root
