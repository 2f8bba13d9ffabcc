"""From a data set to the arrays that every later stage reads."""

from typing import Annotated

import numpy as np
from pydantic import Field

from nicelab.errors import InputError
from nicelab.images.datasets import Images
from nicelab.images.levels import split
from nicelab.pipeline.params import Section
from nicelab.streams import generator


class Preparation(Section):
    """How the images that are not for the test are split."""

    validation: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0)]


def prepare(images: Images, test: Images, config: Preparation) -> dict[str, np.ndarray]:
    """Split into training, validation and test arrays, each `…_pixels` and `…_labels`.

    Raises:
        InputError: fewer than two images would be left to train on.
    """
    count = len(images.labels)
    if config.validation > count - 2:
        raise InputError(
            f"prepare.validation must be <= {count - 2} for these {count} images, "
            f"got {config.validation}"
        )
    kept, held_out = split(count, config.validation, generator(config.seed, "split"))
    return {
        "training_pixels": images.pixels[kept],
        "training_labels": images.labels[kept],
        "validation_pixels": images.pixels[held_out],
        "validation_labels": images.labels[held_out],
        "test_pixels": test.pixels,
        "test_labels": test.labels,
    }
