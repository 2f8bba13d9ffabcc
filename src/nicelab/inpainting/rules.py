"""Rules of ascent: how far to go from the gradient of log p (problem 3).

A rule says by how much to move; `Climb` projects the result after every step. To add a rule, write
a class with `begin` and `move` and name it in `ascent_study.py`.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Memory = tuple[Tensor, ...]  # what a rule remembers of each image, each entry (m, D)


class Rule(Protocol):
    """How far to go. Images that have stopped are no longer passed in."""

    def begin(self, x: Tensor) -> Memory:
        """What is remembered before the first step; x has the shape (m, D)."""

    def move(self, i: int, g: Tensor, *memory: Tensor) -> tuple[Tensor, Memory]:
        """Displacement at step i = 0, 1, … from the gradient, both (m, D), and the memory."""


@dataclass(frozen=True)
class FixedStep:
    """ε g, the sheet's intention."""

    step_size: float

    def begin(self, x: Tensor) -> Memory:
        """Nothing."""
        return ()

    def move(self, i: int, g: Tensor) -> tuple[Tensor, Memory]:
        """Displacement ε g."""
        return self.step_size * g, ()


@dataclass(frozen=True)
class SummedGradients:
    """ε (g_0 + … + g_i), the sheet's script: its buffer of the gradient is never set to zero.

    It is not gradient ascent but a heavy ball without friction.
    """

    step_size: float

    def begin(self, x: Tensor) -> Memory:
        """The sum of no gradients."""
        return (torch.zeros_like(x),)

    def move(self, i: int, g: Tensor, total: Tensor) -> tuple[Tensor, Memory]:
        """Displacement ε Σ g."""
        total = total + g
        return self.step_size * total, (total,)


@dataclass(frozen=True)
class Noisy:
    """α_i (g / divisor + ε), ε ~ N(0, I), α_i = 10 / (100 + i) (Dinh et al., 2014, section 5.2).

    The paper's formula has divisor 1. Its released code ascends the mean over 100 images, which
    divides each image's gradient, but not the noise, by 100.
    """

    divisor: float
    random: torch.Generator

    def begin(self, x: Tensor) -> Memory:
        """Nothing."""
        return ()

    def move(self, i: int, g: Tensor) -> tuple[Tensor, Memory]:
        """Displacement α_i (g / divisor + ε)."""
        noise = torch.randn(g.shape, generator=self.random, device=g.device, dtype=g.dtype)
        return 10 / (100 + i) * (g / self.divisor + noise), ()


@dataclass(frozen=True)
class DecayingAdam:
    """Adam (Kingma and Ba, 2015) with the step α (1 − i/K)² at step i of K.

    Pixels at the border vary by a thousandth of the grey range, those in the middle by a tenth: no
    one step suits both. Adam moves each pixel on its own scale, first as far as α, which leads out
    of the worst regions; the decay lets it settle.
    """

    step_size: float
    steps: int
    beta: tuple[float, float] = (0.9, 0.99)

    def begin(self, x: Tensor) -> Memory:
        """Both moments at zero."""
        return torch.zeros_like(x), torch.zeros_like(x)

    def move(self, i: int, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, Memory]:
        """Displacement α (1 − i/K)² m̂ / √v̂."""
        first, second = self.beta
        m, v = torch.lerp(g, m, first), torch.lerp(g.square(), v, second)
        corrected = m / (1 - first ** (i + 1))
        spread = (v / (1 - second ** (i + 1))).sqrt() + torch.finfo(v.dtype).tiny
        return self.step_size * (1 - i / self.steps) ** 2 * corrected / spread, (m, v)
