"""The Gaussian with the data's mean and covariance, and what it says of hidden pixels, exactly."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from nicelab.images.levels import LEVELS
from nicelab.inpainting.corrupted import Corrupted, alike

DEQUANTISATION = 1 / (12 * LEVELS**2)  # variance of the uniform noise within a grey level


@dataclass(frozen=True)
class Gaussian:
    """N(mean, covariance), in float64.

    Args:
        mean: shape (D,).
        covariance: positive definite, shape (D, D).
    """

    mean: Tensor
    covariance: Tensor

    @classmethod
    def fit(cls, images: Tensor) -> Self:
        """Mean and covariance of images, (n, D), as dequantisation would spread them.

        Their pixels are in the middle of a grey level (`levels.centre`).
        """
        x = images.double()
        noise = DEQUANTISATION * torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
        return cls(x.mean(0), torch.cov(x.mT) + noise)

    def condition(self, observed: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Conditional mean, (n, h), and covariance, (h, h), of the h hidden pixels.

        μ_h + Σ_ho Σ_oo⁻¹ (x_o − μ_o) and Σ_hh − Σ_ho Σ_oo⁻¹ Σ_oh (Bishop, 2006, equations 2.81
        and 2.82).

        Args:
            observed: images, shape (n, D); hidden entries are not looked at.
            hidden: bool, shape (D,).
        """
        seen, across = self.covariance[~hidden], self.covariance[~hidden][:, hidden]
        gain = torch.linalg.solve(seen[:, ~hidden], across)  # (o, h)
        deviation = observed[:, ~hidden].double() - self.mean[~hidden]
        covariance = self.covariance[hidden][:, hidden] - across.mT @ gain
        return self.mean[hidden] + deviation @ gain, covariance

    def conditional_mean(self, corrupted: Corrupted) -> Tensor:
        """The best completion in squared error if the data were Gaussian, shape (k, n, D)."""
        return self._complete(corrupted, None)

    def draw(self, corrupted: Corrupted, random: torch.Generator) -> Tensor:
        """One draw of each image from the conditional distribution, shape (k, n, D)."""
        return self._complete(corrupted, random)

    def _complete(self, corrupted: Corrupted, random: torch.Generator | None) -> Tensor:
        x = corrupted.observed.clone()
        for images, masks in zip(x, corrupted.hidden, strict=True):
            for hidden, which in alike(masks):
                values, covariance = self.condition(images[which], hidden)
                if random is not None:
                    noise = torch.randn(
                        values.shape, generator=random, device=values.device, dtype=values.dtype
                    )
                    values = values + noise @ torch.linalg.cholesky(covariance).mT
                images[which[:, None], hidden.nonzero()[:, 0]] = values.to(x.dtype)
        return corrupted.project(x)
