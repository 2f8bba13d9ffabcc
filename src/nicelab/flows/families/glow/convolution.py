"""Invertible 1×1 convolution (Kingma and Dhariwal, 2018, section 3.2; problem 4)."""

from typing import Self

import torch
from torch import Tensor, nn
from torch.linalg import lu, qr, solve_triangular

from nicelab.flows.families.glow.permutation import random_permutation, require_permutation

LIMIT = 2.0  # of log|s| where a network makes it


def assemble(P: Tensor, L: Tensor, U: Tensor, s: Tensor) -> Tensor:
    """A = P L (U + diag s), shape (*, C, C).

    Args:
        P: permutation matrix, (C, C).
        L: only its strictly lower triangle is used; the diagonal is one. (*, C, C).
        U: only its strictly upper triangle is used. (*, C, C).
        s: the diagonal, no entry zero. (*, C).
    """
    return P @ _unit_lower(L) @ _upper(U, s)


def log_abs_det(s: Tensor) -> Tensor:
    """log|det A| = Σ log|s_i| for A = P L (U + diag s): C logarithms, where an LU costs C³."""
    return s.abs().log().sum(-1)


def convolve(x: Tensor, P: Tensor, L: Tensor, U: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """f₂(x | P, L, U, s): A applied to the C channels at each of the m × n positions.

    Args:
        x: images, (*, C, m, n).
        P: permutation, (C, C).
        L: lower factor, (*, C, C).
        U: upper factor, (*, C, C).
        s: diagonal, (*, C).

    Returns:
        The image, (*, C, m, n), and log|det ∂f₂/∂x| = m n Σ log|s_i|, (*).
    """
    y = x.movedim(-3, -1).flatten(-3, -2) @ assemble(P, L, U, s).mT  # one product if A is one
    y = y.unflatten(-2, x.shape[-2:]).movedim(-1, -3)
    return y, _positions(x) * log_abs_det(s)


def deconvolve(y: Tensor, P: Tensor, L: Tensor, U: Tensor, s: Tensor) -> Tensor:
    """f₂⁻¹(y | P, L, U, s) by two triangular solves; shapes as in `convolve`."""
    w = solve_triangular(_unit_lower(L), P.mT @ y.flatten(-2), upper=False)
    x = solve_triangular(_upper(U, s), w, upper=True)
    return x.unflatten(-1, y.shape[-2:])


def _unit_lower(L: Tensor) -> Tensor:
    return L.tril(-1) + torch.eye(L.shape[-1], dtype=L.dtype, device=L.device)


def _upper(U: Tensor, s: Tensor) -> Tensor:
    return U.triu(1) + s.diag_embed()


def _positions(x: Tensor) -> int:
    return x.shape[-2] * x.shape[-1]


class InvertibleConvolution(nn.Module):
    """Learnable f₂, started at a random rotation.

        forward:      y = A x at each position,    A = P L (U + diag(sign · exp(log_s)))
        inverse:      x = A⁻¹ y by two triangular solves
        log|det|:     m n Σ log_s

    P and the signs of s are fixed; L, U and log|s| are learned, so A stays invertible.

    Args:
        channels: C.
        dtype: of the parameters.
    """

    def __init__(self, channels: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("P", torch.eye(channels, dtype=dtype))
        self.register_buffer("sign", torch.ones(channels, dtype=dtype))
        self.L = nn.Parameter(torch.zeros(channels, channels, dtype=dtype))
        self.U = nn.Parameter(torch.zeros(channels, channels, dtype=dtype))
        self.log_s = nn.Parameter(torch.zeros(channels, dtype=dtype))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> Self:
        """Start at a rotation, the Q of a Gaussian matrix, drawn on the generator's device."""
        gaussian = torch.randn(
            self.L.shape, generator=generator, device=generator.device, dtype=self.L.dtype
        )
        P, L, U = lu(qr(gaussian).Q)
        s = U.diagonal()
        start = {"P": P, "sign": s.sign(), "L": L.tril(-1), "U": U.triu(1), "log_s": s.abs().log()}
        for name, value in start.items():
            getattr(self, name).copy_(value)
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """y, (*, C, m, n), and log|det ∂y/∂x|, a scalar; the product is never in bfloat16."""
        with torch.autocast(x.device.type, enabled=False):
            return convolve(x, *self.factors())

    def inverse(self, y: Tensor) -> Tensor:
        """The x such that forward(x) is y."""
        return deconvolve(y, *self.factors())

    def require_sound(self, name: str) -> None:
        """Check weights that were read; `name` is the layer's.

        Raises:
            ValueError: P is no permutation, or a sign is not ±1.
        """
        require_permutation(self.P, name)
        if not torch.equal(self.sign.abs(), torch.ones_like(self.sign)):
            raise ValueError(f"{name}.sign has entries that are not ±1")

    def factors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """P, L, U and s."""
        return self.P, self.L, self.U, self.sign * self.log_s.exp()


class ConvolutionalCoupling(nn.Module):
    """Coupling on 2C channels whose second half is convolved by factors of the first.

        forward:      z_a = x_a,   z_b = f₂(x_b | P, L(x_a), U(x_a), s(x_a))
        inverse:      x_a = z_a,   x_b = f₂⁻¹(z_b | P, L(z_a), U(z_a), s(z_a))
        log|det|:     m n Σ log|s_i(x_a)|

    log s is cut smoothly at ±2, so that no image is stretched beyond what can be inverted.

    Args:
        channels: C, half of the channels.
        positions: m n.
        hidden: width of the network from x_a to the factors.
        dtype: of the parameters.
    """

    def __init__(self, channels: int, positions: int, hidden: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("P", torch.eye(channels, dtype=dtype))
        self.network = nn.Sequential(
            nn.Linear(channels * positions, hidden, dtype=dtype),
            nn.Tanh(),
            nn.Linear(hidden, channels * (2 * channels + 1), dtype=dtype),
        )

    @torch.no_grad()
    def initialise(self, generator: torch.Generator, spread: float = 0.0) -> Self:
        """Draw P and the network's weights, on the generator's device.

        Args:
            generator: the source.
            spread: of the factors; at 0 they are the identity for every image.
        """
        self.P.copy_(random_permutation(self.P, generator))
        for weight in self.network.parameters():
            weight.normal_(std=weight.shape[-1] ** -0.5, generator=generator)
        for weight in self.network[-1].parameters():
            weight.mul_(spread)
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z, (*, 2C, m, n), and log|det ∂z/∂x|, (*); only the network is ever in bfloat16."""
        x_a, x_b = x.split(self.channels, dim=-3)
        factors = self._factors(x_a)
        with torch.autocast(x.device.type, enabled=False):
            z_b, ladj = convolve(x_b, self.P, *factors)
        return torch.cat([x_a, z_b], dim=-3), ladj

    def inverse(self, z: Tensor) -> Tensor:
        """The x such that forward(x) is z."""
        z_a, z_b = z.split(self.channels, dim=-3)
        return torch.cat([z_a, deconvolve(z_b, self.P, *self._factors(z_a))], dim=-3)

    def _factors(self, x_a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        square = (self.channels, self.channels)
        found = self.network(x_a.flatten(-3)).to(x_a.dtype)
        L, U, log_s = found.split([self.channels**2, self.channels**2, self.channels], dim=-1)
        s = (LIMIT * torch.tanh(log_s / LIMIT)).exp()
        return L.unflatten(-1, square), U.unflatten(-1, square), s

    def require_sound(self, name: str) -> None:
        """Check weights that were read; `name` is the layer's.

        Raises:
            ValueError: P is no permutation.
        """
        require_permutation(self.P, name)
