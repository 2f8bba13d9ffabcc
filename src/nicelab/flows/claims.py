"""The four claims of problem 4, each formula against autograd's Jacobian in float64."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.func import jacrev
from torch.linalg import slogdet

from nicelab.flows.families.glow.convolution import (
    ConvolutionalCoupling,
    InvertibleConvolution,
    assemble,
    convolve,
    log_abs_det,
)
from nicelab.flows.records import Cases, Claims
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate
from nicelab.streams import generator


class Convolution(Section):
    """Size of the images and number of random cases."""

    channels: Annotated[int, Field(ge=1, le=16)]
    height: Annotated[int, Field(ge=1, le=16)]
    width: Annotated[int, Field(ge=1, le=16)]
    cases: Annotated[int, Field(ge=2, le=10_000)]
    seed: Annotated[int, Field(ge=0)]


def jacobian_log_abs_det(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """log|det ∂f/∂x| by automatic differentiation; f maps x to a tensor of the same size."""
    jacobian = jacrev(lambda v: f(v.view_as(x)).flatten())(x.flatten())
    return slogdet(jacobian).logabsdet


Check = Callable[[Convolution, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Claim:
    """A formula and its oracle for one random case, and what a reader calls the claim."""

    label: str
    check: Check


def check(config: Convolution) -> tuple[Claims, dict[str, Any]]:
    """Formula and oracle for each claim and case, all float64; and metrics.

    The metrics are for each claim the largest |formula − oracle|, and the largest |oracle| to
    compare it to.
    """
    cases = {name: _cases(name, claim, config) for name, claim in CLAIMS.items()}
    labels = {name: claim.label for name, claim in CLAIMS.items()}
    metrics = {name: summarise(found) for name, found in cases.items()}
    return Claims(cases=cases), {**metrics, "labels": {"claims": labels}}


def _cases(name: str, claim: Claim, config: Convolution) -> Cases:
    found = [claim.check(config, generator(config.seed, name, k)) for k in range(config.cases)]
    return Cases(*(torch.stack(part).detach().numpy() for part in zip(*found, strict=True)))


def summarise(cases: Cases) -> dict[str, Any]:
    """The largest |formula − oracle|, and the largest |oracle| to compare it to."""
    return {
        "largest_absolute_error": Estimate.exact(np.abs(cases.formula - cases.autograd).max()),
        "largest_log_determinant": Estimate.exact(np.abs(cases.autograd).max()),
        "cases": len(cases.autograd),
    }


def _factors(config: Convolution, random: torch.Generator) -> tuple[Tensor, ...]:
    """P from a random rotation; L, U and s normal."""
    P = InvertibleConvolution(config.channels, torch.float64).initialise(random).P
    square = (config.channels, config.channels)
    L, U = (_normal(square, random) for _ in range(2))
    return P, L, U, _normal(square[:1], random)


def _normal(shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=random, device=random.device, dtype=torch.float64)


def _determinant(config: Convolution, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """(a) log|det A| = Σ log|s_i|."""
    P, L, U, s = _factors(config, random)
    A = assemble(P, L, U, s)
    x = _normal(s.shape, random)
    return log_abs_det(s), jacobian_log_abs_det(lambda v: A @ v, x)


def _reshape(config: Convolution, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """(b) The log-determinant is the same however input and output are laid out as vectors."""
    factors = _factors(config, random)
    shape = (config.channels, config.height, config.width)
    x = _normal(shape, random)
    size = x.numel()
    index = torch.arange(size, device=x.device).view(shape)
    orders = [
        index.flatten(),  # channel, row, column
        index.permute(1, 2, 0).flatten(),  # row, column, channel
        index.permute(2, 1, 0).flatten(),  # column, row, channel
        torch.randperm(size, generator=random, device=x.device),
    ]

    def laid_out(order: Tensor) -> Callable[[Tensor], Tensor]:
        back = order.argsort()
        return lambda v: convolve(v[back].view(shape), *factors)[0]

    # The output keeps the first order: input and output may even be laid out differently.
    oracle = [jacobian_log_abs_det(laid_out(order), x.flatten()[order]) for order in orders]
    return convolve(x, *factors)[1].expand(len(orders)), torch.stack(oracle)


def _convolution(config: Convolution, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """(c) log|det ∂f₂/∂x| = m n Σ log|s_i|."""
    factors = _factors(config, random)
    x = _normal((config.channels, config.height, config.width), random)
    return convolve(x, *factors)[1], jacobian_log_abs_det(lambda v: convolve(v, *factors)[0], x)


def _coupling(config: Convolution, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """(d) log|det ∂z/∂x| = m n Σ log|s_i(x_a)|."""
    positions = config.height * config.width
    layer = ConvolutionalCoupling(config.channels, positions, 16, torch.float64)
    layer.initialise(random, spread=1.0)
    x = _normal((2 * config.channels, config.height, config.width), random)
    return layer(x)[1], jacobian_log_abs_det(lambda v: layer(v)[0], x)


CLAIMS = {
    "determinant": Claim("(a) log|det A| = Σ log|s|", _determinant),
    "reshape": Claim("(b) any layout of the tensor", _reshape),
    "convolution": Claim("(c) f₂: m n Σ log|s|", _convolution),
    "coupling": Claim("(d) coupling: m n Σ log|s(x)|", _coupling),
}
