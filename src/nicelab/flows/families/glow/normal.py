"""The standard normal distribution, Glow's prior."""

import math

import torch
from torch import Tensor


class Normal:
    """log p(z) = −z²/2 − log(2π)/2."""

    name = "norm"

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each entry, in nats; shape as `z`."""
        return -0.5 * (z.square() + math.log(2 * math.pi))

    def sample(
        self, shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        """Independent draws."""
        return torch.randn(shape, generator=generator, device=generator.device, dtype=dtype)
