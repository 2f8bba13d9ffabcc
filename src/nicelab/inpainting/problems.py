"""The images and masks of the study."""

from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator
from torch import Tensor

from nicelab.errors import InputError
from nicelab.images.levels import scale
from nicelab.images.records import ImageSet
from nicelab.images.shapes import Shape
from nicelab.inpainting.masks import AnyMask
from nicelab.inpainting.records import Problems
from nicelab.pipeline.params import Section


class Masking(Section):
    """How many test images, and the masks by name."""

    images: Annotated[int, Field(ge=2)]
    picture: Annotated[int, Field(ge=0)]
    masks: Annotated[dict[str, AnyMask], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if self.picture >= self.images:
            raise ValueError(f"picture must be < images ({self.images}), got {self.picture}")
        return self

    def hidden(self, name: str, folder: Path, shape: Shape, images: int = 1) -> Tensor:
        """True where the mask of this name hides a pixel, shape (images, D).

        Args:
            name: one of `masks`.
            folder: where the pictures of masks are.
            shape: of the images.
            images: how many.

        Raises:
            InputError: it hides nothing or everything of an image, or its picture cannot be used.
        """
        hidden = self.masks[name].each(folder, images, shape)
        if not hidden.any(-1).all() or hidden.all(-1).any():
            what = "no pixel" if not hidden.any(-1).all() else "every pixel"
            raise InputError(f"mask.masks.{name} hides {what}: it must hide some and leave some")
        return hidden


def hide(data: ImageSet, config: Masking, folder: Path) -> Problems:
    """Put the first test images behind all masks.

    Args:
        data: the images.
        config: which of them, and the masks.
        folder: where the pictures of masks are.

    Raises:
        InputError: there are too few images, or a mask hides nothing or everything.
    """
    count, shape = len(data.test_pixels), data.of_shape
    if config.images > count:
        raise InputError(f"mask.images must be <= the {count} test images, got {config.images}")
    hidden = [config.hidden(name, folder, shape, config.images) for name in config.masks]
    return Problems(
        dataset=data.dataset,
        shape=data.shape,
        images=scale(data.test_pixels[: config.images]),
        labels=None if data.test_labels is None else data.test_labels[: config.images],
        names=np.array(list(config.masks)),
        mask_labels=np.array([mask.label for mask in config.masks.values()]),
        hidden=np.stack([mask.numpy() for mask in hidden]),
        picture=np.array(config.picture),
    )
