"""Standard normal noise for a batch: independent, or arranged so that errors cancel.

One contract: a noise makes batches of shape (*, batch, dimensions), in each of which every row is
standard normal, though rows may depend on each other; and it knows the exact variance of a mean
over a batch, for a function of one-dimensional noise, by quadrature. Noise is drawn where its
generator is; nodes of a quadrature are where the point is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from math import log2

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats import qmc
from torch import Tensor

from nicelab.gradients.quadrature import (
    NODES,
    TAIL,
    follow,
    gauss_hermite,
    tanh_sinh,
    uniform,
    weighted_variance,
)

Values = Callable[[Tensor], Tensor]  # noise (n, 1) → values (*, n, k)


class Noise(ABC):
    """A source of batches of standard normal rows."""

    @abstractmethod
    def draw(
        self, shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Batches of this shape, (*, batch, dimensions), each of them independent.

        On the generator's device.

        Raises:
            ValueError: there is no such batch of this size.
        """

    @abstractmethod
    def variance(self, values: Values, batch: int, like: Tensor) -> Tensor:
        """Exact variance of the mean of `values` over a batch, shape (*, k), times the batch.

        So for independent noise this is the variance of a single value, whatever the batch. The
        noise that `values` is given has the dtype and device of `like`.
        """


class Independent(Noise):
    """Independent rows."""

    def draw(
        self, shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Independent standard normal numbers."""
        return torch.randn(*shape, generator=generator, dtype=dtype, device=generator.device)

    def variance(self, values: Values, batch: int, like: Tensor) -> Tensor:
        """E[g²] − E[g]², by Gauss–Hermite quadrature."""
        y, weights = gauss_hermite(NODES, like)
        return weighted_variance(values(y), weights)


class Antithetic(Noise):
    """Pairs y and −y (Hammersley and Morton, 1956): exact for odd functions, harmful for even."""

    def draw(
        self, shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Half a batch of independent rows, and the same with the other sign."""
        *many, batch, dimensions = shape
        if batch % 2:
            raise ValueError(f"antithetic noise needs an even batch, got {batch}")
        half = Independent().draw((*many, batch // 2, dimensions), generator, dtype)
        return torch.cat([half, -half], dim=-2)

    def variance(self, values: Values, batch: int, like: Tensor) -> Tensor:
        """Twice the variance of the mean of a pair."""
        y, weights = gauss_hermite(NODES, like)
        return 2 * weighted_variance((values(y) + values(-y)) / 2, weights)


class Stratified(Noise):
    """One row in each of as many equally likely intervals as there are rows.

    In several dimensions a Latin hypercube (McKay, Beckman and Conover, 1979).
    """

    def draw(
        self, shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """A point in each interval, the intervals in random order in each dimension."""
        device, batch = generator.device, shape[-2]
        u = torch.rand(2, *shape, generator=generator, dtype=dtype, device=device)
        return normal((u[0].argsort(-2) + u[1]) / batch)

    def variance(self, values: Values, batch: int, like: Tensor) -> Tensor:
        """Mean over the intervals of the variance in each, by Gauss–Legendre quadrature."""
        edges = follow(ndtri(np.arange(batch + 1) / batch).clip(-TAIL, TAIL), like)[:, None]
        u, weights = uniform(like)
        low, high = edges[:-1], edges[1:]
        y = low + (high - low) * u  # (batch, NODES)
        density = weights * (-(y**2) / 2).exp()
        density = density / density.sum(-1, keepdim=True)
        found = values(y.flatten()[:, None]).unflatten(-2, y.shape)
        return weighted_variance(found, density).mean(-2)


class Sobol(Noise):
    """A Sobol' net with a random shift modulo 1 (Cranley and Patterson, 1976)."""

    def draw(
        self, shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """The net of 2^m points, shifted as a whole in each batch."""
        *many, batch, dimensions = shape
        one = (*many, 1, dimensions)
        shift = torch.rand(*one, generator=generator, dtype=dtype, device=generator.device)
        return normal((follow(_net(batch, dimensions), shift) + shift) % 1)

    def variance(self, values: Values, batch: int, like: Tensor) -> Tensor:
        """The variance over the shift. In one dimension the net is the lattice of i / batch."""
        shift, weights = tanh_sinh(like)  # of the lattice by shift / batch
        strata = torch.arange(batch, dtype=like.dtype, device=like.device)
        y = normal((strata + shift[:, None]) / batch)  # (shifts, batch)
        means = values(y.flatten()[:, None]).unflatten(-2, y.shape).mean(-2)
        return batch * weighted_variance(means, weights)


def normal(u: Tensor) -> Tensor:
    """Standard normal quantiles of u in [0, 1], finite at the ends."""
    return torch.special.ndtri(u.clamp(2.0**-60, 1 - torch.finfo(u.dtype).eps / 2))


@cache
def _net(batch: int, dimensions: int) -> np.ndarray:
    m = round(log2(batch))
    if 2**m != batch:
        raise ValueError(f"a Sobol' net needs a batch that is a power of 2, got {batch}")
    return qmc.Sobol(dimensions, scramble=False).random_base2(m)
