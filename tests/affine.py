"""A family of the tests' own, in a file that could be its package: an affine map."""

import math
from typing import Any, Literal, Self

import torch
from torch import Tensor

from nicelab.flows.flow import Flow, Recipe
from nicelab.images.levels import moments
from nicelab.images.shapes import Shape
from nicelab.pipeline.params import Section


class Architecture(Section):
    """It has no shape."""

    family: Literal["affine"]


class Gaussian:
    """Another prior than NICE's."""

    name = "norm"

    def log_prob(self, z: Tensor) -> Tensor:
        return torch.distributions.Normal(0.0, 1.0).log_prob(z)

    def sample(
        self, shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=dtype)


class Affine(Flow):
    """z = (x − m) exp(s): it has no couplings, no spectrum and nothing to finish."""

    prior = Gaussian()

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        self.m = torch.nn.Parameter(torch.zeros(dimensions))
        self.log_scale = torch.nn.Parameter(torch.zeros(dimensions))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        ladj = self.log_scale.sum().expand(x.shape[:-1])
        return (x - self.m) * self.log_scale.exp(), ladj

    def inverse(self, z: Tensor) -> Tensor:
        return z * (-self.log_scale).exp() + self.m

    def initialise(self, levels: Tensor, generator: torch.Generator) -> Self:
        mean, spread = moments(levels)
        self.m.data.copy_(mean)
        self.log_scale.data.copy_(-spread.log())
        return self

    def groups(self, recipe: Recipe) -> list[dict[str, Any]]:
        return [{"params": list(self.parameters()), "weight_decay": 0.0}]


def build(architecture: Architecture, shape: Shape) -> Affine:
    return Affine(math.prod(shape))
