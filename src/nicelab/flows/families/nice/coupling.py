"""Additive coupling (Dinh, Krueger and Bengio, 2014, section 3.2)."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

Half = Literal["even", "odd"]
Halves = tuple[Tensor, Tensor]  # the entries at even and at odd positions


def split(x: Tensor) -> Halves:
    """The halves of x, (*, D), each (*, D/2)."""
    return x.unflatten(-1, (-1, 2)).unbind(-1)


def join(halves: Halves) -> Tensor:
    """The x of these halves."""
    return torch.stack(halves, dim=-1).flatten(-2)


class AdditiveCoupling(nn.Module):
    """Shifts one half of the entries by a function of the other half.

    With x_s the half that is shifted and x_k the one that is kept,

        f(x):    y_s = x_s + m(x_k),   y_k = x_k
        f⁻¹(y):  x_s = y_s − m(y_k),   x_k = y_k
        log|det ∂f/∂x| = 0

    The halves are the entries at even and at odd positions (0-based).

    Args:
        dimensions: number of entries D, even.
        shifts: the half that is shifted.
        hidden: width of the network m.
        depth: number of hidden layers of m, each followed by a ReLU.

    Raises:
        ValueError: D is odd.
    """

    def __init__(self, dimensions: int, shifts: Half, hidden: int, depth: int) -> None:
        super().__init__()
        if dimensions % 2:
            raise ValueError(f"dimensions must be even to be halved, got {dimensions}")
        self.shifts = ("even", "odd").index(shifts)
        widths = [dimensions // 2] + depth * [hidden]
        layers = []
        for fan_in, fan_out in zip(widths[:-1], widths[1:], strict=True):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU(inplace=True)]
        self.m = nn.Sequential(*layers, nn.Linear(widths[-1], dimensions // 2))

    def forward(self, x: Tensor) -> Tensor:
        """f(x), shape (*, D)."""
        return self._shift(x, +1)

    def inverse(self, y: Tensor) -> Tensor:
        """f⁻¹(y), shape (*, D)."""
        return self._shift(y, -1)

    def _shift(self, x: Tensor, sign: int) -> Tensor:
        return join(self.shift(split(x), sign))

    def shift(self, halves: Halves, sign: int) -> Halves:
        """The same on halves, each (*, D/2), with a sign of +1 forward and −1 backward."""
        kept, shifted = halves[1 - self.shifts], halves[self.shifts]
        shifted = torch.add(shifted, self.m(kept), alpha=sign)
        return (kept, shifted) if self.shifts else (shifted, kept)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Start as the identity: hidden layers by He et al. (2015), last layer zero."""
        linears = [layer for layer in self.m if isinstance(layer, nn.Linear)]
        for layer in linears[:-1]:
            bound = math.sqrt(6 / layer.in_features)
            layer.weight.uniform_(-bound, bound, generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(linears[-1].weight)
        nn.init.zeros_(linears[-1].bias)

    @torch.no_grad()
    def centre(self, mean: Tensor) -> None:
        """Shift by −mean, shape (D,), whatever the kept half is; the last layer must be zero."""
        self.m[-1].bias.copy_(-self.shifted(mean))

    @torch.no_grad()
    def learn_in_units(self, spread: Tensor) -> None:
        """Learn each shift in units of the spread, shape (D,), of the entry that it shifts.

        Spreads differ by a factor of 400 between the border and the middle of an image, so that
        one step of Adam, of about the learning rate in every weight, would throw border pixels far
        off.
        """
        unit = self.shifted(spread)
        self.m[-1].weight.div_(unit[:, None])
        self.m[-1].bias.div_(unit)
        self.m.append(_Units(unit))

    @torch.no_grad()
    def fold_units(self) -> None:
        """Undo `learn_in_units`: the same shift, with plain weights again."""
        unit = self.m.pop(-1).unit
        self.m[-1].weight.mul_(unit[:, None])
        self.m[-1].bias.mul_(unit)

    def shifted(self, x: Tensor) -> Tensor:
        """The entries that are shifted, (*, D/2), of (*, D)."""
        return x[..., self.shifts :: 2]


class _Units(nn.Module):
    """Turns a shift in units, of shape (*, D/2), into a shift of entries."""

    def __init__(self, unit: Tensor) -> None:
        super().__init__()
        self.register_buffer("unit", unit)

    def forward(self, shift: Tensor) -> Tensor:
        return shift * self.unit
