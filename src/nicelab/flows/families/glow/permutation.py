"""Fixed permutations of channels: what an invertible 1×1 convolution generalises."""

from typing import Self

import torch
from torch import Tensor, nn


def random_permutation(like: Tensor, generator: torch.Generator) -> Tensor:
    """A matrix with the shape and type of another, drawn on the generator's device."""
    order = torch.randperm(len(like), generator=generator, device=generator.device)
    return torch.eye(len(like)).to(like)[order]


def require_permutation(P: Tensor, name: str) -> None:
    """Check a matrix that was read; `name` is its layer's.

    Raises:
        ValueError: it is no permutation.
    """
    once = torch.ones_like(P[0])
    entries = ((P == 0) | (P == 1)).all()
    if not entries or not all(torch.equal(P.sum(axis), once) for axis in (0, 1)):
        raise ValueError(f"{name}.P is not a permutation")


class Permutation(nn.Module):
    """The channels in another order, which is not learned: drawn at the start.

        forward:      y = P x at each position
        inverse:      x = Pᵀ y
        log|det|:     0

    Args:
        channels: C.
        dtype: of P.
    """

    def __init__(self, channels: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("P", torch.eye(channels, dtype=dtype).flip(0))

    def initialise(self, generator: torch.Generator) -> Self:
        """Draw P on the generator's device."""
        self.P.copy_(random_permutation(self.P, generator))
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """y, (*, C, m, n), and log|det ∂y/∂x|, a scalar."""
        return x.index_select(-3, self.P.argmax(1)), self.P.new_zeros(())

    def inverse(self, y: Tensor) -> Tensor:
        """The x such that forward(x) is y."""
        return y.index_select(-3, self.P.argmax(0))

    def require_sound(self, name: str) -> None:
        """Check weights that were read; `name` is the layer's.

        Raises:
            ValueError: P is no permutation.
        """
        require_permutation(self.P, name)


class Reversal(Permutation):
    """The channels in reversed order."""

    def initialise(self, generator: torch.Generator) -> Self:
        """Nothing is drawn."""
        del generator
        return self
