"""Arguments of the functions that one teaches with, checked as parameters are."""

from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import Field, ValidationError

from nicelab.errors import InputError
from nicelab.pipeline.params import Section

S = TypeVar("S", bound=Section)
Count = Annotated[int, Field(ge=1, le=10**9)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


def checked(model: type[S], **given: object) -> S:
    """The arguments, once it is known that they are what the model allows.

    Raises:
        InputError: they are not; one line tells which, what was expected and what was given.
    """
    plain = {name: x.item() if isinstance(x, np.generic) else x for name, x in given.items()}
    try:
        return model(**plain)
    except ValidationError as error:
        raise InputError("; ".join(map(_told, error.errors()))) from None


def _told(error: dict[str, Any]) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    name = ".".join(map(str, error["loc"]))
    expected = error["msg"].removeprefix("Input should be ")
    return f"{name} must be {expected}, got {error['input']!r}"
