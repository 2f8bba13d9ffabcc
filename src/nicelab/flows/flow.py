"""The contract of a flow: all that training, measuring, sampling and inpainting know of one.

A family implements the abstract methods; everything else is derived from them here, once.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, Self

import torch
from torch import Tensor, nn

BATCH = 1000  # images at once where no gradient is needed


class Prior(Protocol):
    """A distribution of independent latents."""

    name: str  # of the distribution in scipy.stats

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each entry, in nats; shape as `z`."""

    def sample(
        self, shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        """Independent draws on the generator's device."""


class Recipe(Protocol):
    """What a family may read of the training's recipe."""

    learning_rate: float
    scale_rate: float
    weight_decay: float


class Flow(nn.Module, ABC):
    """An invertible map z = f(x) of images x to latents z with a known distribution.

        log p(x) = Σ_i log p_prior(z_i) + log|det ∂z/∂x|

    Images have the shape (*, D) and are in [0, 1]; a family that needs rows and columns makes
    them inside. A new flow is not yet useful: `initialise` draws its random start.

    Args:
        dimensions: number of entries D of an image.
    """

    prior: ClassVar[Prior]

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.dimensions = dimensions

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latents z, shape (*, D), and log|det ∂z/∂x| of each image in nats, shape (*)."""

    @abstractmethod
    def inverse(self, z: Tensor) -> Tensor:
        """The x for which forward(x) is z, shape (*, D)."""

    @abstractmethod
    def initialise(self, levels: Tensor, generator: torch.Generator) -> Self:
        """Start for these training images, grey levels 0–255, (n, D), ready to be trained."""

    @abstractmethod
    def groups(self, recipe: Recipe) -> list[dict[str, Any]]:
        """The optimiser's parameter groups, each with its own rate and weight decay."""

    def finish(self) -> None:
        """Put away what only the training needed; the density stays the same."""

    def require_sound(self) -> None:
        """Check weights that were read.

        Raises:
            ValueError: with them the flow is no invertible map.
        """
        for name, weight in self.state_dict().items():
            if not weight.isfinite().all():
                raise ValueError(f"{name} has entries that are not finite")

    def coordinates(self, x: Tensor) -> Tensor:
        """Each pixel in a coordinate of its own, u(x), in which the density has no jumps, (*, D).

        Chains move in it. Unless a family says otherwise, it is x.
        """
        return x

    def at_coordinates(self, u: Tensor) -> Tensor:
        """The x whose coordinates are u, shape (*, D)."""
        return u

    def log_prob_of_coordinates(self, u: Tensor) -> Tensor:
        """Log density of u, not of x, in nats, (*): log p(x) − Σ log u′(x), in float64."""
        return self.log_prob(u)

    def spectrum(self) -> Tensor | None:
        """Scale of each latent in the image, largest first, (D,), if the family has a scaling."""
        return None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return next(self.parameters()).dtype

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats, summed over D in float64; shape (*)."""
        z, ladj = self(x)
        return self.prior.log_prob(z).sum(-1, dtype=torch.float64) + ladj

    @torch.no_grad()
    def log_likelihoods(self, x: Tensor) -> Tensor:
        """Log density in nats of many images (*, D), a few at a time; shape (*), float64."""
        parts = x.reshape(-1, self.dimensions).split(BATCH)
        return torch.cat([self.log_prob(part) for part in parts]).view(x.shape[:-1])

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Independent draws of x, shape (count, D), from latents multiplied by a temperature."""
        shape = (count, self.dimensions)
        return self.inverse(temperature * self.prior.sample(shape, generator, self.dtype))
