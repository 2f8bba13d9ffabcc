"""A user's own pictures."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from nicelab.errors import InputError
from nicelab.images.shapes import Shape


def read_levels(path: Path, shapes: Collection[Shape]) -> Tensor:
    """Levels of a picture in any common format, (channels, height, width), dtype uint8.

    Args:
        path: the file.
        shapes: that it may have, all grey or all in colour, to which it is converted.

    Raises:
        InputError: the file is missing, no picture, or has another size.
    """
    colour = {channels for channels, _, _ in shapes} == {3}
    try:
        with Image.open(path) as picture:
            levels = np.array(picture.convert("RGB" if colour else "L"))
    except UnidentifiedImageError:
        raise InputError(f"{path} is not a picture in a known format, such as PNG") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise InputError(f"cannot read {path}: {reason}") from None
    levels = levels.transpose(2, 0, 1) if colour else levels[None]
    if levels.shape not in shapes:
        sizes = " or ".join(f"{width} × {height}" for _, height, width in sorted(shapes))
        _, height, width = levels.shape
        raise InputError(
            f"{path} must be {sizes} pixels, got {width} × {height}: scale or crop it"
        )
    return torch.from_numpy(levels)
