"""The recipe of a training: its constants, and how the learning rate goes."""

import hashlib
import json
import math
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from nicelab.machine.precision import Choice, Precision
from nicelab.pipeline.params import Section


class Training(Section):
    """How a flow is trained; `clip` is the norm to which a longer gradient is cut, in nats."""

    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch: Annotated[int, Field(ge=1, le=1_000_000)]
    learning_rate: Annotated[float, Field(gt=0, le=1e3)]
    scale_rate: Annotated[float, Field(gt=0, le=1e6)]
    warm_up: Annotated[int, Field(ge=0, le=1_000_000)]
    schedule: Literal["constant", "linear", "cosine"]
    weight_decay: Annotated[float, Field(ge=0, le=1e6)]
    clip: Annotated[float, Field(gt=0, le=1e30)] | None
    precision: Choice
    seed: Annotated[int, Field(ge=0)]


def identity(architecture: Section, recipe: Training, precision: Precision, images: str) -> str:
    """Digest of what decides how good a model a training makes, but for the luck of its seed.

    Args:
        architecture: of the model.
        recipe: the constants.
        precision: in which the products were multiplied.
        images: digest of the images.
    """
    parts = architecture.model_dump(), recipe.model_dump(exclude={"seed", "precision"})
    text = json.dumps([*parts, precision, images], sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}


def rate_factor(recipe: Training, steps: int) -> Callable[[int], float]:
    """Factor of the learning rate at each of so many steps, counted from 0.

    The schedule goes from 1 downwards; on the first `warm_up` steps the factor also rises
    linearly.
    """
    fall = SCHEDULES[recipe.schedule]

    def factor(step: int) -> float:
        rise = (step + 1) / (recipe.warm_up + 1)
        return min(rise, 1.0) * fall(step / steps)

    return factor
