"""NICE: additive couplings, a diagonal scaling and a logistic prior (Dinh et al., 2014).

h = f_K ∘ … ∘ f_1 (x),    z = exp(s) ⊙ h,    log p(x) = Σ_i log p_logistic(z_i) + Σ_i s_i
"""

import math
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from nicelab.flows.families.nice.coupling import AdditiveCoupling, join, split
from nicelab.flows.families.nice.logistic import Logistic
from nicelab.flows.flow import Flow, Recipe
from nicelab.images.levels import moments
from nicelab.images.shapes import Shape, described
from nicelab.pipeline.params import Section

MASK = ("even", "odd")  # the half that each coupling shifts, in turn


class Architecture(Section):
    """Shape of the flow; the paper's for MNIST is 4 couplings, 5 hidden layers of 1000."""

    family: Literal["nice"]
    couplings: Annotated[int, Field(ge=1, le=64)]
    hidden: Annotated[int, Field(ge=1, le=100_000)]
    depth: Annotated[int, Field(ge=1, le=64)]


class NICE(Flow):
    """The flow of Dinh, Krueger and Bengio (2014), equations 5–8 and section 5.

    Args:
        dimensions: number of entries D of x, even.
        architecture: number and size of the couplings.
    """

    prior = Logistic()

    def __init__(self, dimensions: int, architecture: Architecture) -> None:
        super().__init__(dimensions)
        self.couplings = nn.ModuleList(
            AdditiveCoupling(dimensions, MASK[k % 2], architecture.hidden, architecture.depth)
            for k in range(architecture.couplings)
        )
        self.s = nn.Parameter(torch.zeros(dimensions))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latents z, shape (*, D), and log|det ∂z/∂x| = Σ s, the same for every image, (*)."""
        halves = split(x)
        for coupling in self.couplings:
            halves = coupling.shift(halves, +1)
        return self.s.exp() * join(halves), self.s.sum().expand(x.shape[:-1])

    def inverse(self, z: Tensor) -> Tensor:
        """The x for which forward(x) is z, shape (*, D)."""
        halves = split(z * (-self.s).exp())
        for coupling in reversed(self.couplings):
            halves = coupling.shift(halves, -1)
        return join(halves)

    def initialise(self, levels: Tensor, generator: torch.Generator) -> Self:
        """Start by standardising these training images, (n, D)."""
        return self.standardise(*moments(levels), generator)

    @torch.no_grad()
    def standardise(self, mean: Tensor, spread: Tensor, generator: torch.Generator) -> Self:
        """Start as the affine map that standardises data of this mean and spread, both (D,).

        The couplings start as the identity but for the bias of the last one on each half,
        which centres the data; s starts where exp(s) ⊙ spread is the prior's. The shifts are
        learned in units of the spread.
        """
        for coupling in self.couplings:
            coupling.initialise(generator)
        for coupling in self.couplings[-2:]:
            coupling.centre(mean)
        self.s.copy_((self.prior.standard_deviation / spread).log())
        for coupling in self.couplings:
            coupling.learn_in_units(spread)
        return self

    def groups(self, recipe: Recipe) -> list[dict[str, Any]]:
        """The couplings decay; the scaling does not, as that would pull exp(s) towards 1."""
        scale_rate = recipe.learning_rate * recipe.scale_rate
        return [
            {"params": list(self.couplings.parameters()), "weight_decay": recipe.weight_decay},
            {"params": [self.s], "weight_decay": 0.0, "lr": scale_rate},
        ]

    def finish(self) -> None:
        """Fold the units of the shifts into plain weights."""
        for coupling in self.couplings:
            coupling.fold_units()

    def spectrum(self) -> Tensor:
        """σ_d = exp(−s_d), largest first, shape (D,): the weight of each latent in the image.

        Dinh et al. (2014), section 5.1: the larger σ_d, the more variation its component explains.
        """
        return (-self.s.detach()).exp().sort(descending=True).values


def build(architecture: Architecture, shape: Shape) -> NICE:
    """A NICE of this architecture, not yet initialised.

    Raises:
        ValueError: the images have an odd number of entries.
    """
    if math.prod(shape) % 2:
        raise ValueError(f"images must have an even number of entries, got {described(shape)}")
    return NICE(math.prod(shape), architecture)
