"""Standard normal noise for a batch: independent, or arranged so that errors cancel.

One contract: a noise makes batches of shape (*, batch, dimensions), in each of which every row is
standard normal, though rows may depend on each other; and it knows the exact variance of a mean
over a batch, for a function of one-dimensional noise, by quadrature in float64.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from math import log2

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats import qmc
from torch import Tensor

Terms = Callable[[Tensor], Tensor]  # noise (n, 1) → values (*, n, k)

NODES = 200  # of Gauss–Hermite quadrature
TAIL = 12.0  # standard deviations at which the normal distribution is cut for other rules


class Noise(ABC):
    """A source of batches of standard normal rows."""

    @abstractmethod
    def draw(
        self, shape: tuple[int, ...], batch: int, dimensions: int, generator: torch.Generator
    ) -> Tensor:
        """Batches of shape (*shape, batch, dimensions), float64; each batch is independent.

        Raises:
            ValueError: there is no such batch of this size.
        """

    @abstractmethod
    def variance(self, terms: Terms, batch: int) -> Tensor:
        """Exact variance of the mean of `terms` over a batch, shape (*, k), times the batch.

        So for independent noise this is the variance of a single term, whatever the batch.
        """


class Independent(Noise):
    """Independent rows."""

    def draw(
        self, shape: tuple[int, ...], batch: int, dimensions: int, generator: torch.Generator
    ) -> Tensor:
        """Independent standard normal numbers."""
        return torch.randn(*shape, batch, dimensions, generator=generator, dtype=torch.float64)

    def variance(self, terms: Terms, batch: int) -> Tensor:
        """E[g²] − E[g]², by Gauss–Hermite quadrature."""
        y, weights = gauss_hermite(NODES)
        return weighted_variance(terms(y), weights)


class Antithetic(Noise):
    """Pairs y and −y (Hammersley and Morton, 1956): exact for odd functions, harmful for even."""

    def draw(
        self, shape: tuple[int, ...], batch: int, dimensions: int, generator: torch.Generator
    ) -> Tensor:
        """Half a batch of independent rows, and the same with the other sign."""
        if batch % 2:
            raise ValueError(f"antithetic noise needs an even batch, got {batch}")
        half = Independent().draw(shape, batch // 2, dimensions, generator)
        return torch.cat([half, -half], dim=-2)

    def variance(self, terms: Terms, batch: int) -> Tensor:
        """Twice the variance of the mean of a pair."""
        y, weights = gauss_hermite(NODES)
        return 2 * weighted_variance((terms(y) + terms(-y)) / 2, weights)


class Stratified(Noise):
    """One row in each of as many equally likely intervals as there are rows.

    In several dimensions a Latin hypercube (McKay, Beckman and Conover, 1979).
    """

    def draw(
        self, shape: tuple[int, ...], batch: int, dimensions: int, generator: torch.Generator
    ) -> Tensor:
        """A point in each interval, the intervals in random order in each dimension."""
        u = torch.rand(2, *shape, batch, dimensions, generator=generator, dtype=torch.float64)
        return normal((u[0].argsort(-2) + u[1]) / batch)

    def variance(self, terms: Terms, batch: int) -> Tensor:
        """Mean over the intervals of the variance in each, by Gauss–Legendre quadrature."""
        edges = ndtri(np.arange(batch + 1) / batch).clip(-TAIL, TAIL)
        t, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(NODES))
        low, high = torch.from_numpy(edges[:-1, None]), torch.from_numpy(edges[1:, None])
        y = low + (high - low) * (t + 1) / 2  # (batch, NODES)
        density = weights * (-(y**2) / 2).exp()
        density = density / density.sum(-1, keepdim=True)
        values = terms(y.flatten()[:, None]).unflatten(-2, y.shape)
        return weighted_variance(values, density).mean(-2)


class Sobol(Noise):
    """A Sobol' net with a random shift modulo 1 (Cranley and Patterson, 1976)."""

    def draw(
        self, shape: tuple[int, ...], batch: int, dimensions: int, generator: torch.Generator
    ) -> Tensor:
        """The net of 2^m points, shifted as a whole in each batch."""
        net = torch.from_numpy(_net(batch, dimensions))
        shift = torch.rand(*shape, 1, dimensions, generator=generator, dtype=torch.float64)
        return normal((net + shift) % 1)

    def variance(self, terms: Terms, batch: int) -> Tensor:
        """The variance over the shift. In one dimension the net is the lattice of i / batch."""
        # The shift ∆ / batch, with nodes that crowd at 0 and 1 where the tails are singular.
        t = torch.linspace(-3.4, 3.4, 2 * NODES + 1, dtype=torch.float64)
        half_pi = torch.pi / 2
        shift = torch.sigmoid(2 * half_pi * t.sinh())  # tanh-sinh rule on [0, 1]
        weights = shift * torch.sigmoid(-2 * half_pi * t.sinh()) * t.cosh()
        weights = weights / weights.sum()
        strata = torch.arange(batch, dtype=torch.float64)
        y = normal((strata + shift[:, None]) / batch)  # (shifts, batch)
        means = terms(y.flatten()[:, None]).unflatten(-2, y.shape).mean(-2)
        return batch * weighted_variance(means, weights)


@cache
def gauss_hermite(nodes: int) -> tuple[Tensor, Tensor]:
    """Nodes, shape (nodes, 1), and weights, (nodes,), for the standard normal distribution."""
    y, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return torch.from_numpy(y)[:, None], torch.from_numpy(weights / weights.sum())


def normal(u: Tensor) -> Tensor:
    """Standard normal quantiles of u in [0, 1], finite at the ends."""
    return torch.special.ndtri(u.clamp(2.0**-60, 1 - 2.0**-53))


@cache
def _net(batch: int, dimensions: int) -> np.ndarray:
    m = round(log2(batch))
    if 2**m != batch:
        raise ValueError(f"a Sobol' net needs a batch that is a power of 2, got {batch}")
    return qmc.Sobol(dimensions, scramble=False).random_base2(m)


def weighted_variance(values: Tensor, weights: Tensor) -> Tensor:
    """Variance of values (*, n, k) under weights (*, n) that sum to 1; shape (*, k)."""
    weights = weights[..., None]
    centre = (weights * values).sum(-2, keepdim=True)
    return (weights * (values - centre) ** 2).sum(-2)
