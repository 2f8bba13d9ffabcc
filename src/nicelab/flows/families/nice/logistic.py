"""The standard logistic distribution, NICE's prior."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


class Logistic:
    """p(z) = σ(z) σ(−z),  log p(z) = −softplus(z) − softplus(−z),  F⁻¹(u) = log u − log(1 − u)."""

    name = "logistic"
    standard_deviation = math.pi / math.sqrt(3)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of each entry, in nats; finite for every finite `z`. Shape as `z`."""
        return F.logsigmoid(z) + F.logsigmoid(-z)

    def sample(
        self, shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        """Independent draws by inversion, always finite.

        The uniforms are kept off 0 and 1 by the spacing of the dtype, which cuts tails of
        probability 2⁻²³ (float32) at z ≈ ±16.
        """
        u = torch.rand(shape, generator=generator, device=generator.device, dtype=dtype)
        return torch.logit(u, eps=torch.finfo(dtype).eps)
