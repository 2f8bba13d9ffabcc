"""Layers on images of several channels: activation normalisation, affine coupling, a step of both.

Each maps x, (n, C, h, w), to y of the same shape, with log|det ∂y/∂x| of each image, (n,), or one
for all.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from nicelab.flows.families.glow.convolution import (
    ConvolutionalCoupling,
    InvertibleConvolution,
)
from nicelab.flows.families.glow.permutation import Permutation, Reversal

LIMIT = 2.0  # of a coupling's log-scales: it stretches by e² at most, and as little as by e⁻²

Mix = Literal["convolution", "conditional", "permutation", "reversal"]


class ActNorm(nn.Module):
    """y = exp(s) ⊙ (x + b), one s and b for a channel (Kingma and Dhariwal, 2018, section 3.1).

    Args:
        shape: of s and b: (C, 1, 1), or (C, h, w) for one in each position.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.zeros(shape))
        self.s = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The image y and log|det ∂y/∂x|."""
        repeated = x[0].numel() // self.s.numel()
        return self.s.exp() * (x + self.b), (repeated * self.s.sum()).expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """The x for which forward(x) is y."""
        return y * (-self.s).exp() - self.b

    @torch.no_grad()
    def initialise(self, x: Tensor) -> Tensor:
        """Start where the y of these x has mean 0 and variance 1; returns y."""
        shared = [0, *(d for d in (1, 2, 3) if self.s.shape[d - 1] == 1 and x.shape[d] > 1)]
        self.b.copy_(-x.mean(shared, keepdim=True)[0])
        self.s.copy_(-x.std(shared, correction=0, keepdim=True)[0].clamp(min=1e-2).log())
        return self(x)[0]


class AffineCoupling(nn.Module):
    """Scales and shifts the second half of the channels by a function of the first.

        forward:      y_a = x_a,   y_b = exp(s(x_a)) ⊙ x_b + t(x_a)
        inverse:      x_a = y_a,   x_b = exp(−s(y_a)) ⊙ (y_b − t(y_a))
        log|det|:     Σ s(x_a)

    (Dinh, Sohl-Dickstein and Bengio, 2017, section 3.2). If y_b is standard normal, x_b given x_a
    is normal with a learned mean and deviation: that is how channels are factored out.

    Args:
        channels: C.
        width: of the network of three convolutions (3×3, 1×1, 3×3) that makes s and t; without
            one, it is a single convolution.
    """

    def __init__(self, channels: int, width: int | None) -> None:
        super().__init__()
        self.halves = (channels - channels // 2, channels // 2)
        kept, shifted = self.halves
        last = nn.Conv2d(width or kept, 2 * shifted, 3, padding=1)
        hidden = [] if width is None else _hidden(kept, width)
        self.network = nn.Sequential(*hidden, last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The image y and log|det ∂y/∂x|."""
        x_a, x_b = x.split(self.halves, dim=1)
        s, t = self._scale_and_shift(x_a)
        return torch.cat([x_a, s.exp() * x_b + t], dim=1), s.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """The x for which forward(x) is y."""
        y_a, y_b = y.split(self.halves, dim=1)
        s, t = self._scale_and_shift(y_a)
        return torch.cat([y_a, (y_b - t) * (-s).exp()], dim=1)

    def _scale_and_shift(self, x_a: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self.network(x_a).to(x_a.dtype).chunk(2, dim=1)
        return LIMIT * torch.tanh(s / LIMIT), t

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Start as the identity: hidden layers by He et al. (2015), last layer zero."""
        *hidden, last = (layer for layer in self.network if isinstance(layer, nn.Conv2d))
        for layer in hidden:
            layer.weight.normal_(0, math.sqrt(2 / layer.weight[0].numel()), generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)


def _hidden(channels: int, width: int) -> list[nn.Module]:
    first, second = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, width, 1)
    return [first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True)]


class Step(nn.Module):
    """A step of the flow: normalise, mix the channels, couple them (Kingma and Dhariwal, fig. 2).

    Args:
        shape: of an image, (C, h, w).
        width: of the coupling's network.
        mix: of what the channels are mixed by.
    """

    def __init__(self, shape: tuple[int, int, int], width: int, mix: Mix) -> None:
        super().__init__()
        channels = shape[0]
        self.normalise = ActNorm((channels, 1, 1))
        self.mix = nn.ModuleList(mixers(mix, shape, width))
        self.couple = AffineCoupling(channels, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The image y and log|det ∂y/∂x|."""
        x, ladj = self.normalise(x)
        for layer in (*self.mix, self.couple):
            x, more = layer(x)
            ladj = ladj + more
        return x, ladj

    def inverse(self, y: Tensor) -> Tensor:
        """The x for which forward(x) is y."""
        for layer in (self.couple, *reversed(self.mix)):
            y = layer.inverse(y)
        return self.normalise.inverse(y)

    def initialise(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Start for these x; returns y."""
        x = self.normalise.initialise(x)
        self.couple.initialise(generator)
        for layer in self.mix:
            x = layer.initialise(generator)(x)[0]
        return x


def mixers(mix: Mix, shape: tuple[int, int, int], width: int) -> list[nn.Module]:
    """What mixes the channels of images of this shape; a network, if any, has this width."""
    channels, dtype = shape[0], torch.get_default_dtype()
    if mix == "reversal":
        return [Reversal(channels, dtype)]
    if mix == "permutation":
        return [Permutation(channels, dtype)]
    fixed = InvertibleConvolution(channels, dtype)
    if mix == "convolution":
        return [fixed]
    return [fixed, ConvolutionalCoupling(channels // 2, shape[1] * shape[2], width, dtype)]
