"""A user's own pictures."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from nicelab.errors import InputError
from nicelab.images.shapes import SIDE


def read_levels(path: Path) -> Tensor:
    """Grey levels of a picture in any common format, shape (784,), dtype uint8.

    Raises:
        InputError: the file is missing, no picture, or has another size.
    """
    try:
        with Image.open(path) as picture:
            levels = np.array(picture.convert("L"))
    except UnidentifiedImageError:
        raise InputError(f"{path} is not a picture in a known format, such as PNG") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    if levels.shape != (SIDE, SIDE):
        height, width = levels.shape
        raise InputError(
            f"{path} must be {SIDE} × {SIDE} pixels, got {width} × {height}: scale or crop it"
        )
    return torch.from_numpy(levels).flatten()
