"""Shapes of images: (channels, height, width), one channel for grey and three for colour.

Images are handled as vectors of D = channels · height · width entries, channel by channel and row
by row; what needs rows and columns is told the shape.
"""

import numpy as np

Shape = tuple[int, int, int]

SIDE = 28  # of MNIST's images, and of the grid on which masks are stated
MNIST: Shape = (1, SIDE, SIDE)
PIXELS = SIDE * SIDE


def of(shape: np.ndarray) -> Shape:
    """A shape that was written as an array."""
    channels, height, width = map(int, shape)
    return channels, height, width


def described(shape: Shape) -> str:
    """`28 × 28 grey pixels`, for a reader."""
    channels, height, width = shape
    return f"{width} × {height} {'grey' if channels == 1 else 'colour'} pixels"
