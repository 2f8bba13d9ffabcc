"""Projected gradient ascent on log p over the hidden pixels (problem 3), by several rules.

A rule says by how much to move; the result is projected after every step. To add a rule, write a
class with `begin` and `move` and name it in `ascents.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from nicelab.inpainting.corrupted import Corrupted, project
from nicelab.inpainting.density import Density, gradient

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


@dataclass(frozen=True)
class State:
    """Where an ascent is after some steps.

    Args:
        x: images, shape (k, n, D).
        log_prob: log p(x) in nats, shape (k, n), float64.
        residual: size of the projected gradient, as in `ascend`, shape (k, n).
    """

    x: Tensor
    log_prob: Tensor
    residual: Tensor


def ascend(
    density: Density,
    corrupted: Corrupted,
    start: Tensor,
    rule: Rule,
    steps: int,
    scale: Tensor,
    tolerance: float = 0.0,
) -> Iterator[State]:
    """Step x ← Π(x + displacement) until the projected gradient is small.

    With d_i the scale of pixel i, the projected gradient is (Π(x + d² ∇ log p(x)) − x) / d, and
    its size is the root of its mean square over the hidden pixels. It is zero exactly at a
    stationary point of the constrained problem; where log p is quadratic with the curvature d⁻²,
    it is the distance to the maximum in standard deviations.

    Args:
        density: log p.
        corrupted: the images.
        start: where hidden pixels begin, shape (k, n, D).
        rule: how far to go.
        steps: at most so many.
        scale: d, shape (D,).
        tolerance: an image whose projected gradient is no larger than this stays where it is.

    Yields:
        The state before the first step and after each one.
    """
    shape = start.shape
    observed = corrupted.observed.flatten(0, 1)
    hidden = corrupted.hidden[:, None].expand(shape).flatten(0, 1)
    x = project(start.flatten(0, 1), observed, hidden)
    log_prob = torch.empty(len(x), dtype=torch.float64, device=x.device)
    residual = torch.empty(len(x), dtype=x.dtype, device=x.device)
    going, memory = torch.arange(len(x), device=x.device), rule.begin(x)
    for i in range(steps + 1):
        here, where = x[going], hidden[going]
        log_p, g = gradient(density, here)
        g = torch.where(where, g, 0)
        log_prob[going] = log_p.double()
        stationary = project(here + scale**2 * g, here, where)
        square = ((stationary - here) / scale).square().sum(-1) / where.sum(-1)
        residual[going] = square.sqrt()
        yield State(x.view(shape), log_prob.view(shape[:2]), residual.view(shape[:2]))
        unfinished = square.sqrt() > tolerance
        if i == steps or not unfinished.any():
            return
        going, memory = going[unfinished], tuple(m[unfinished] for m in memory)
        displacement, memory = rule.move(i, g[unfinished], *memory)
        x, log_prob, residual = x.clone(), log_prob.clone(), residual.clone()
        x[going] = project(x[going] + displacement, observed[going], hidden[going])
