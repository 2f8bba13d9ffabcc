"""Images with hidden pixels, and the set in which their completions are sought.

A method of inpainting is a function of a `Corrupted` batch that returns images of the same shape.
What it returns is projected: observed pixels come back bit for bit, hidden ones are in [0, 1].
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


def project(x: Tensor, observed: Tensor, hidden: Tensor) -> Tensor:
    """Nearest point to x whose observed entries are given and whose hidden ones are in [0, 1].

    Problem 2's projection onto a segment is the case of two pixels, of which one is hidden.

    Args:
        x: any point, shape (*, D).
        observed: the given values, shape (*, D); its hidden entries are not looked at.
        hidden: bool, shape (*, D).
    """
    return torch.where(hidden, x.clamp(0, 1), observed)


@dataclass(frozen=True)
class Corrupted:
    """The same n images behind each of k masks.

    Args:
        observed: pixels in [0, 1], shape (k, n, D); hidden ones are 0.
        hidden: bool, shape (k, n, D): a mask may differ from image to image.
    """

    observed: Tensor
    hidden: Tensor

    @classmethod
    def hide(cls, images: Tensor, hidden: Tensor) -> Self:
        """Images of shape (n, D) behind masks.

        Args:
            images: shape (n, D).
            hidden: shape (k, n, D), or (k, D) for masks that are the same for all images.

        Raises:
            ValueError: a mask hides no pixel or all of them.
        """
        if hidden.ndim == 2:
            hidden = hidden[:, None].expand(-1, len(images), -1)
        if not hidden.any(-1).all():
            raise ValueError("a mask hides no pixel")
        if hidden.all(-1).any():
            raise ValueError("a mask hides every pixel")
        return cls(images.masked_fill(hidden, 0.0), hidden)

    def project(self, x: Tensor) -> Tensor:
        """`project` onto what is known of these images; x has the shape (k, n, D)."""
        return project(x, self.observed, self.hidden)

    def fill(self, value: float) -> Tensor:
        """Hidden pixels set to one value, shape (k, n, D)."""
        return self.observed.masked_fill(self.hidden, value)

    def repeat(self, times: int) -> Self:
        """Each image so many times in a row, shape (k, n · times, D)."""
        return type(self)(
            self.observed.repeat_interleave(times, 1), self.hidden.repeat_interleave(times, 1)
        )

    def first(self, count: int) -> Self:
        """The first images alone."""
        return type(self)(self.observed[:, :count], self.hidden[:, :count])

    def on_hidden(self, x: Tensor) -> Tensor:
        """Mean of x, shape (k, n, D), over the hidden pixels; shape (k, n)."""
        hidden = torch.where(self.hidden, x, 0)
        return hidden.sum(-1, dtype=torch.float64) / self.hidden.sum(-1)


def alike(hidden: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Each mask, (D,), among those of n images, (n, D), and the indices of its images."""
    masks, which = hidden.unique(dim=0, return_inverse=True)
    for j, mask in enumerate(masks):
        yield mask, (which == j).nonzero()[:, 0]
