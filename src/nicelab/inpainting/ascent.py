"""Projected gradient ascent on log p over the hidden pixels (problem 3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from nicelab.inpainting.corrupted import Corrupted, project
from nicelab.inpainting.density import Density, fisher_information, gradient
from nicelab.inpainting.rules import Memory, Rule


@dataclass(frozen=True)
class State:
    """Where an ascent is after some steps.

    Args:
        x: images, shape (k, n, D).
        log_prob: log p(x) in nats, shape (k, n), float64.
        residual: size of the projected gradient, as in `Climb`, shape (k, n).
    """

    x: Tensor
    log_prob: Tensor
    residual: Tensor


@dataclass(frozen=True)
class Climb:
    """Steps x ← Π(x + displacement) until the projected gradient is small.

    With d_i the scale of pixel i, the projected gradient is (Π(x + d² ∇ log p(x)) − x) / d, and
    its size is the root of its mean square over the hidden pixels. It is zero exactly at a
    stationary point of the constrained problem; where log p is quadratic with the curvature d⁻²,
    it is the distance to the maximum in standard deviations.

    Args:
        density: log p.
        scale: d, shape (D,).
        tolerance: an image whose projected gradient is no larger than this stays where it is.
    """

    density: Density
    scale: Tensor
    tolerance: float = 0.0

    @classmethod
    def learned(cls, density: Density, drawn: Tensor, tolerance: float) -> Self:
        """With the scale on which the pixels of draws from p, (n, D), vary."""
        scale = fisher_information(density, drawn).diagonal().rsqrt().to(drawn.dtype)
        return cls(density, scale, tolerance)

    def ascend(
        self, corrupted: Corrupted, start: Tensor, rule: Rule, steps: int
    ) -> Iterator[State]:
        """The state before the first step and after each one.

        Args:
            corrupted: the images.
            start: where hidden pixels begin, shape (k, n, D).
            rule: how far to go.
            steps: at most so many.
        """
        shape = start.shape
        observed = corrupted.observed.flatten(0, 1)
        hidden = corrupted.hidden.flatten(0, 1)
        x = project(start.flatten(0, 1), observed, hidden)
        log_prob = torch.empty(len(x), dtype=torch.float64, device=x.device)
        residual = torch.empty(len(x), dtype=x.dtype, device=x.device)
        going, memory = torch.arange(len(x), device=x.device), rule.begin(x)
        for i in range(steps + 1):
            log_p, g, size = self._look(x[going], hidden[going])
            log_prob[going], residual[going] = log_p.double(), size
            yield State(x.view(shape), log_prob.view(shape[:2]), residual.view(shape[:2]))
            unfinished = size > self.tolerance
            if i == steps or not unfinished.any():
                return
            going, memory = going[unfinished], _kept(memory, unfinished)
            displacement, memory = rule.move(i, g[unfinished], *memory)
            x, log_prob, residual = x.clone(), log_prob.clone(), residual.clone()
            x[going] = project(x[going] + displacement, observed[going], hidden[going])

    def _look(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log p, (m,), its gradient on the hidden pixels, (m, D), and the residual, (m,)."""
        log_p, g = gradient(self.density, x)
        g = torch.where(hidden, g, 0)
        stationary = project(x + self.scale**2 * g, x, hidden)
        square = ((stationary - x) / self.scale).square().sum(-1) / hidden.sum(-1)
        return log_p, g, square.sqrt()


def _kept(memory: Memory, which: Tensor) -> Memory:
    return tuple(m[which] for m in memory)
