"""From a data set to the arrays that every later stage reads."""

from typing import Annotated

import numpy as np
from pydantic import Field

from nicelab.errors import InputError
from nicelab.images.datasets import Collection
from nicelab.images.levels import split
from nicelab.images.own import Images
from nicelab.images.records import ImageSet
from nicelab.pipeline.params import Section
from nicelab.streams import generator


class Preparation(Section):
    """How the images that are not for the test are split."""

    validation: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0)]


def prepare(found: Collection, config: Preparation, test: int) -> ImageSet:
    """Split into training, validation and test images.

    Args:
        found: the data set.
        config: how many images are held out of training.
        test: how many are set apart for the test where the data set has not done so.

    Raises:
        InputError: fewer than two images would be left to train on.
    """
    images, set_apart = found.images, found.test
    if set_apart is None:
        images, set_apart = _part(images, test, config.seed, "test", "data.own.test")
    training, validation = _part(
        images, config.validation, config.seed, "split", "prepare.validation"
    )
    return ImageSet(
        dataset=np.array(found.title),
        shape=np.array(found.shape),
        classes=np.array(found.classes, dtype=str),
        training_pixels=training.pixels,
        validation_pixels=validation.pixels,
        test_pixels=set_apart.pixels,
        training_labels=training.labels,
        validation_labels=validation.labels,
        test_labels=set_apart.labels,
    )


def _part(images: Images, held_out: int, seed: int, name: str, of: str) -> tuple[Images, Images]:
    """A random split into (kept, held out)."""
    count = len(images.pixels)
    if held_out > count - 2:
        raise InputError(f"{of} must be <= {count - 2} for these {count} images, got {held_out}")
    return tuple(
        Images(images.pixels[k], None if images.labels is None else images.labels[k])
        for k in split(count, held_out, generator(seed, name))
    )
