"""NICE: additive couplings, a diagonal scaling and a logistic prior (Dinh et al., 2014).

h = f_K ∘ … ∘ f_1 (x),    z = exp(s) ⊙ h,    log p(x) = Σ_i log p_logistic(z_i) + Σ_i s_i
"""

from typing import Annotated, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from nicelab.flows import logistic
from nicelab.flows.coupling import AdditiveCoupling
from nicelab.pipeline.params import Section

MASK = ("even", "odd")  # the half that each coupling shifts, in turn


class Architecture(Section):
    """Shape of the flow; the paper's for MNIST is 4 couplings, 5 hidden layers of 1000."""

    couplings: Annotated[int, Field(ge=1, le=64)]
    hidden: Annotated[int, Field(ge=1, le=100_000)]
    depth: Annotated[int, Field(ge=1, le=64)]


class NICE(nn.Module):
    """The flow of Dinh, Krueger and Bengio (2014), equations 5–8 and section 5.

    Args:
        dimensions: number of entries D of x, even.
        architecture: number and size of the couplings.
    """

    def __init__(self, dimensions: int, architecture: Architecture) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(
            AdditiveCoupling(dimensions, MASK[k % 2], architecture.hidden, architecture.depth)
            for k in range(architecture.couplings)
        )
        self.s = nn.Parameter(torch.zeros(dimensions))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latent z, shape (*, D), and log|det ∂z/∂x|, a scalar that does not depend on x."""
        for coupling in self.couplings:
            x = coupling(x)
        return self.s.exp() * x, self.s.sum()

    def inverse(self, z: Tensor) -> Tensor:
        """The x for which forward(x) is z, shape (*, D)."""
        x = z * (-self.s).exp()
        for coupling in reversed(self.couplings):
            x = coupling.inverse(x)
        return x

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats, summed over D in float64; shape (*)."""
        z, ladj = self(x)
        return logistic.log_prob(z).sum(-1, dtype=torch.float64) + ladj

    def sample(self, count: int, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Independent draws of x, shape (count, D), from latents multiplied by a temperature."""
        shape = (count, self.s.numel())
        return self.inverse(temperature * logistic.sample(shape, generator, self.s.dtype))

    @torch.no_grad()
    def initialise(self, mean: Tensor, spread: Tensor, generator: torch.Generator) -> Self:
        """Start as the affine map that standardises data of this mean and spread, both (D,).

        The couplings start as the identity but for the bias of the last one on each half,
        which centres the data; s starts where exp(s) ⊙ spread is the prior's.
        """
        for coupling in self.couplings:
            coupling.initialise(generator)
        for coupling in self.couplings[-2:]:
            coupling.m[-1].bias.copy_(-mean[coupling.shifts :: 2])
        self.s.copy_((logistic.STANDARD_DEVIATION / spread).log())
        return self
