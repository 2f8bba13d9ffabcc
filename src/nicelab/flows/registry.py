"""The code of a family of flows, by its name.

A family's package has `Architecture`, its section of `model` in the parameter file, and `build`.
It is imported by its name alone, so no other family's code is read, and editing one re-trains none
of the others. To add a family, add a package, and its name and sections to the parameter file.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, ConfigDict

from nicelab.errors import InputError
from nicelab.flows import families
from nicelab.flows.flow import Flow
from nicelab.flows.names import known
from nicelab.images.shapes import Shape
from nicelab.machine.memory import require_memory
from nicelab.pipeline.params import Section, load

COPIES = 5  # of the weights in a training: gradients, two moments, the best so far


class Choice(Section):
    """What every architecture that was written down has."""

    model_config = ConfigDict(extra="ignore")

    family: Annotated[str, AfterValidator(known)]


def architecture(params: Path, family: str) -> Section:
    """The architecture in a family's section of `model` in a parameter file.

    Raises:
        InputError: there is no such family or section, or it is not as the family expects.
    """
    try:
        module = _module(known(family))
    except ValueError as error:
        raise InputError(f"the family {error}") from None
    return load(params, "model", module.Architecture, of=family, given={"family": family})


def build(architecture: Section, shape: Shape) -> Flow:
    """A flow of this architecture for images of this shape, not yet initialised.

    Raises:
        InputError: the family has no flow for them, or it could not be trained in this memory.
    """
    family, name = _module(architecture.family), f"model.{architecture.family}"
    try:
        with torch.device("meta"):
            weights = sum(
                weight.numel() for weight in family.build(architecture, shape).parameters()
            )
        require_memory(COPIES * weights * 4, name, "lower its sizes")
        return family.build(architecture, shape)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None


def rebuild(architecture: dict[str, Any], shape: Shape) -> Flow:
    """The same from an architecture that was written down.

    Raises:
        ValueError: it is none of a known family.
    """
    family = _module(Choice(**architecture).family)
    return family.build(family.Architecture(**architecture), shape)


def _module(name: str) -> ModuleType:
    return import_module(f"{families.__name__}.{name}")
