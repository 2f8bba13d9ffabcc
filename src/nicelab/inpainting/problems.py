"""The images and masks of the study, and how the stages pass them on."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from nicelab.errors import InputError
from nicelab.inpainting.masks import Mask
from nicelab.pipeline.params import Section


class Masking(Section):
    """How many test images, and the masks by name."""

    images: Annotated[int, Field(ge=2)]
    picture: Annotated[int, Field(ge=0)]
    masks: Annotated[dict[str, Mask], Field(min_length=1)]


def problems(
    test: np.ndarray, labels: np.ndarray, config: Masking, folder: Path
) -> dict[str, Any]:
    """The first test images and all masks.

    Args:
        test: test images in [0, 1], shape (n, D).
        labels: their digits, shape (n,).
        config: which images and masks.
        folder: where the pictures of masks are.

    Returns:
        `images`, (images, D); `labels`, (images,); `names`, (k,); `hidden`, (k, D); `picture`.

    Raises:
        InputError: there are too few images, or a mask hides nothing or everything.
    """
    if config.images > len(test):
        raise InputError(f"mask.images must be <= the {len(test)} test images, "
                         f"got {config.images}")  # fmt: skip
    if config.picture >= config.images:
        raise InputError(f"mask.picture must be < mask.images ({config.images}), "
                         f"got {config.picture}")  # fmt: skip
    hidden = {name: mask.hidden(folder) for name, mask in config.masks.items()}
    for name, pixels in hidden.items():
        if not pixels.any() or pixels.all():
            what = "every pixel" if pixels.any() else "no pixel"
            raise InputError(f"mask.masks.{name} hides {what}: it must hide some and leave some")
    return {
        "images": test[: config.images],
        "labels": labels[: config.images],
        "names": np.array(list(hidden)),
        "hidden": torch.stack(list(hidden.values())).numpy(),
        "picture": np.array(config.picture),
    }
