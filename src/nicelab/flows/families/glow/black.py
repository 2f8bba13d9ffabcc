"""The first layer: the noise of black pixels becomes normal.

Four pixels in five are black. Dequantised, such a pixel is uniform on a level of width 1/256. A
flow whose prior is normal and whose couplings are affine can only place and scale that, which
costs log(2πe/12)/2 = 0.18 nats in each of them: the divergence of the uniform distribution from
the normal one of its mean and variance. Here the noise is made normal, which saves those 110 nats
of an image.
"""

import math

import torch
from torch import Tensor, nn

from nicelab.images.levels import LEVELS

EDGE = 1 / LEVELS  # black is the level below
TAIL = 1e-3  # probability in each tail that is cut
BEND = float(torch.special.ndtri(torch.tensor(1 - TAIL, dtype=torch.float64)))


class NormalBlack(nn.Module):
    """Makes what is uniform on the black level normal, and is linear elsewhere.

        f(x) = Φ⁻¹(ε + (1 − 2ε) 256 x),            0 ≤ x < 1/256
        f(x) = b + r (x − 1/256) / (1 − 1/256),     x ≥ 1/256,  with b = Φ⁻¹(1 − ε)

    and goes on below 0 with its slope there, so that it is onto. log f′ jumps at 1/256, as the
    density of dequantised images does at every level.

    Args:
        reach: r, how far white lies above black.
    """

    def __init__(self, reach: float) -> None:
        super().__init__()
        self.slope = reach / (1 - EDGE)
        self.steep = (1 - 2 * TAIL) * LEVELS * math.sqrt(2 * math.pi) * math.exp(BEND**2 / 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """f(x) and log f′(x), both in the shape of x, (*)."""
        black = x < EDGE
        share = TAIL + (1 - 2 * TAIL) * LEVELS * x.clamp(0, EDGE)
        normal = torch.special.ndtri(share)
        normal = normal + self.steep * x.clamp(max=0)
        u = torch.where(black, normal, BEND + self.slope * (x - EDGE))
        bell = math.log((1 - 2 * TAIL) * LEVELS * math.sqrt(2 * math.pi))
        log_slope = bell + normal.clamp(min=-BEND).square() / 2
        return u, torch.where(black, log_slope, math.log(self.slope))

    def inverse(self, u: Tensor) -> Tensor:
        """The x for which f(x) = u, shape (*)."""
        share = torch.special.ndtr(u.clamp(-BEND, BEND))
        black = (share - TAIL) / ((1 - 2 * TAIL) * LEVELS) + (u + BEND).clamp(max=0) / self.steep
        return torch.where(u < BEND, black, EDGE + (u - BEND) / self.slope)


class AsItIs(nn.Module):
    """f(x) = x, in its place."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The pixels, and log 1 of each."""
        return x, torch.zeros_like(x)

    def inverse(self, u: Tensor) -> Tensor:
        """The pixels."""
        return u
