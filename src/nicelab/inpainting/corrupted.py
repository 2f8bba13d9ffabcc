"""Images with hidden pixels, and the set in which their completions are sought.

A method of inpainting is a function of a `Corrupted` batch that returns images of the same shape.
What it returns is projected: observed pixels come back bit for bit, hidden ones are in [0, 1].
"""

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
        hidden: bool, shape (k, D).
    """

    observed: Tensor
    hidden: Tensor

    @classmethod
    def hide(cls, images: Tensor, hidden: Tensor) -> Self:
        """Images of shape (n, D) behind masks of shape (k, D).

        Raises:
            ValueError: a mask hides no pixel or all of them.
        """
        if not hidden.any(-1).all():
            raise ValueError("a mask hides no pixel")
        if hidden.all(-1).any():
            raise ValueError("a mask hides every pixel")
        return cls(images.masked_fill(hidden[:, None], 0.0), hidden)

    def project(self, x: Tensor) -> Tensor:
        """`project` onto what is known of these images; x has the shape (k, n, D)."""
        return project(x, self.observed, self.hidden[:, None])

    def fill(self, value: float) -> Tensor:
        """Hidden pixels set to one value, shape (k, n, D)."""
        return self.observed.masked_fill(self.hidden[:, None], value)

    def repeat(self, times: int) -> Self:
        """Each image so many times in a row, shape (k, n · times, D)."""
        return type(self)(self.observed.repeat_interleave(times, 1), self.hidden)

    def on_hidden(self, x: Tensor) -> Tensor:
        """Mean of x, shape (k, n, D), over the hidden pixels; shape (k, n)."""
        hidden = self.hidden[:, None]
        return torch.where(hidden, x, 0).sum(-1, dtype=torch.float64) / hidden.sum(-1)
