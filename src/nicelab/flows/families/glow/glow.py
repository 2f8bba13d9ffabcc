"""Glow: steps of 1×1 convolutions and affine couplings on several scales.

After Kingma and Dhariwal (2018), with the 1×1 convolution of problem 4 in all its steps, and with
`NormalBlack` before them. At each level the image is squeezed, from (C, h, w) to (4C, h/2, w/2),
goes through its steps, and half of its channels are factored out as latents: those are normal
given the other half, which go on to the next level. The first layer, what
mixes the channels in a step, and whether any are factored out before the last level can be chosen,
to see what they are worth.
"""

import math
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from nicelab.flows.families.glow.black import AsItIs, NormalBlack
from nicelab.flows.families.glow.convolution import (
    ConvolutionalCoupling,
    InvertibleConvolution,
)
from nicelab.flows.families.glow.layers import ActNorm, AffineCoupling, Mix, Step
from nicelab.flows.families.glow.normal import Normal
from nicelab.flows.families.glow.permutation import Permutation
from nicelab.flows.flow import Flow, Recipe
from nicelab.images.levels import dequantise
from nicelab.images.shapes import Shape, described
from nicelab.pipeline.params import Section

STARTED_ON = 2000  # training images from which the normalisations start


class Scale(Section):
    """One level of the flow."""

    steps: Annotated[int, Field(ge=1, le=64)]
    width: Annotated[int, Field(ge=1, le=4096)]


class Architecture(Section):
    """Shape of the flow: its levels, from the finest to the coarsest."""

    family: Literal["glow"]
    reach: Annotated[float, Field(gt=0, le=1e4)] | None
    mix: Mix
    factor_out: bool
    levels: Annotated[list[Scale], Field(min_length=1, max_length=8)]


class Level(nn.Module):
    """Steps at one scale, and what makes the channels that leave there normal.

    Args:
        shape: of an image that was squeezed, (C, h, w).
        scale: steps and width.
        mix: of what the steps mix channels by.
        kept: channels that go on: none, the first half, or all.
    """

    def __init__(self, shape: tuple[int, int, int], scale: Scale, mix: Mix, kept: int) -> None:
        super().__init__()
        channels, *sides = shape
        self.going_on = (kept, *sides)
        self.leaving = (channels - kept) * math.prod(sides)
        self.steps = nn.ModuleList(Step(shape, scale.width, mix) for _ in range(scale.steps))
        if 0 < kept < channels:
            self.leave = AffineCoupling(channels, None)
        else:
            self.leave = ActNorm((channels, 1, 1) if kept else shape)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What goes on, (n, ·, h, w), what leaves, (n, ·), and log|det| of each image, (n,)."""
        ladj = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        x = pixel_unshuffle(x, 2)
        for layer in (*self.steps, self.leave):
            x, more = layer(x)
            ladj = ladj + more
        kept = self.going_on[0]
        return x[:, :kept], x[:, kept:].flatten(1), ladj

    def inverse(self, going_on: Tensor, leaving: Tensor) -> Tensor:
        """The x that forward takes apart."""
        x = torch.cat([going_on, leaving.unflatten(1, (-1, *self.going_on[1:]))], dim=1)
        for layer in (self.leave, *reversed(self.steps)):
            x = layer.inverse(x)
        return pixel_shuffle(x, 2)

    def initialise(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Start for these x; returns what goes on."""
        x = pixel_unshuffle(x, 2)
        for step in self.steps:
            x = step.initialise(x, generator)
        if isinstance(self.leave, ActNorm):
            self.leave.initialise(x)
        else:
            self.leave.initialise(generator)
        return x[:, : self.going_on[0]]


class Glow(Flow):
    """The flow of Kingma and Dhariwal (2018), section 3.

    Args:
        shape: of an image, its sides multiples of 2 to the number of levels.
        architecture: its levels.

    Raises:
        ValueError: images of this size cannot be squeezed so often.
    """

    prior = Normal()

    def __init__(self, shape: Shape, architecture: Architecture) -> None:
        super().__init__(math.prod(shape))
        self.shape = shape
        scales = architecture.levels
        kept, height, width = shape
        if height % 2 ** len(scales) or width % 2 ** len(scales):
            raise ValueError(
                f"the {len(scales)} levels halve the sides of an image so often, which "
                f"{described(shape)} do not allow: give it fewer levels or other images"
            )
        reach = architecture.reach
        self.black = AsItIs() if reach is None else NormalBlack(reach)
        self.levels = nn.ModuleList()
        for k, scale in enumerate(scales, 1):
            channels, height, width = 4 * kept, height // 2, width // 2
            kept = channels // 2 if architecture.factor_out else channels
            kept = 0 if k == len(scales) else kept
            squeezed = (channels, height, width)
            self.levels.append(Level(squeezed, scale, architecture.mix, kept))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latents z, shape (*, D), finest level first, and log|det ∂z/∂x|, (*), in float64."""
        u, slopes = self.black(x)
        z, ladj = self._through_levels(u)
        return z, ladj + slopes.sum(-1, dtype=torch.float64)

    def _through_levels(self, u: Tensor) -> tuple[Tensor, Tensor]:
        images = u.reshape(-1, *self.shape)
        ladj, latents = torch.zeros(len(images), dtype=torch.float64, device=u.device), []
        for level in self.levels:
            images, leaving, more = level(images)
            latents.append(leaving)
            ladj = ladj + more
        return torch.cat(latents, dim=1).view_as(u), ladj.view(u.shape[:-1])

    def inverse(self, z: Tensor) -> Tensor:
        """The x for which forward(x) is z, shape (*, D)."""
        latents = z.reshape(-1, self.dimensions).split([lv.leaving for lv in self.levels], dim=1)
        images = z.new_empty(len(latents[0]), *self.levels[-1].going_on)
        for level, leaving in zip(reversed(self.levels), reversed(latents), strict=True):
            images = level.inverse(images, leaving)
        return self.black.inverse(images).reshape(z.shape)

    def require_sound(self) -> None:
        """Also: every P is a permutation, and every sign is one."""
        super().require_sound()
        for name, layer in self.named_modules():
            if isinstance(layer, InvertibleConvolution | Permutation | ConvolutionalCoupling):
                layer.require_sound(name)

    def coordinates(self, x: Tensor) -> Tensor:
        """The coordinates of `NormalBlack`, shape (*, D)."""
        return self.black(x)[0]

    def at_coordinates(self, u: Tensor) -> Tensor:
        """The x whose coordinates are u, shape (*, D)."""
        return self.black.inverse(u)

    def log_prob_of_coordinates(self, u: Tensor) -> Tensor:
        """Log density of u in nats, (*), float64."""
        z, ladj = self._through_levels(u)
        return self.prior.log_prob(z).sum(-1, dtype=torch.float64) + ladj

    @torch.no_grad()
    def initialise(self, levels: Tensor, generator: torch.Generator) -> Self:
        """Start where the first training images have normalised channels at every step."""
        images = dequantise(levels[:STARTED_ON], generator).to(self.dtype)
        images, _ = self.black(images.view(-1, *self.shape))
        for level in self.levels:
            images = level.initialise(images, generator)
        return self

    def groups(self, recipe: Recipe) -> list[dict[str, Any]]:
        """The couplings' networks decay; the normalisations and 1×1 convolutions do not."""
        kinds = AffineCoupling | ConvolutionalCoupling
        couplings = (layer for layer in self.modules() if isinstance(layer, kinds))
        networks = [weight for coupling in couplings for weight in coupling.parameters()]
        rest = [weight for weight in self.parameters() if weight not in set(networks)]
        scale_rate = recipe.learning_rate * recipe.scale_rate
        return [
            {"params": networks, "weight_decay": recipe.weight_decay},
            {"params": rest, "weight_decay": 0.0, "lr": scale_rate},
        ]


def build(architecture: Architecture, shape: Shape) -> Glow:
    """A Glow of this architecture, not yet initialised."""
    return Glow(shape, architecture)
