"""Families of flows by name: every module of `flows/families` is one.

A family's module has `Architecture`, the section `model` of the parameter file, and `build`. It is
imported by its name alone, so no other family's code is read, and editing one re-trains none of
the others. To add a family, add a module.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict

from nicelab.flows import families
from nicelab.flows.flow import Flow
from nicelab.pipeline.params import Section, load


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


class Choice(Section):
    """What every family's section has."""

    model_config = ConfigDict(extra="ignore")

    family: Annotated[str, AfterValidator(known)]


def architecture(params: Path) -> type[Section]:
    """What the section `model` of a parameter file must look like, by its `family`.

    Raises:
        InputError: there is no such family.
    """
    return _module(load(params, "model", Choice).family).Architecture


def build(architecture: Section, dimensions: int) -> Flow:
    """A flow of this architecture for images with so many entries, not yet initialised."""
    return _module(architecture.family).build(architecture, dimensions)


def rebuild(architecture: dict[str, Any], dimensions: int) -> Flow:
    """The same from an architecture that was written down.

    Raises:
        ValueError: it is none of a known family.
    """
    family = _module(Choice(**architecture).family)
    return family.build(family.Architecture(**architecture), dimensions)


def _module(name: str) -> ModuleType:
    return import_module(f"{families.__name__}.{name}")
