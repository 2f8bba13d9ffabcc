"""The four claims of problem 4, each formula against autograd's Jacobian in float64."""

from collections.abc import Callable
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.func import jacrev
from torch.linalg import slogdet

from nicelab.flows.convolution import (
    ConvolutionalCoupling,
    InvertibleConvolution,
    assemble,
    convolve,
    log_abs_det,
)
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


def check(config: Convolution) -> dict[str, tuple[Tensor, Tensor]]:
    """Formula and oracle for each claim and case, all float64.

    Returns:
        For each claim the values of the formula and of autograd, of one shape: (cases,), but
        for `reshape`, where each case has four ways to lay the tensor out, (cases, 4).
    """
    checks = {
        "determinant": _determinant,
        "reshape": _reshape,
        "convolution": _convolution,
        "coupling": _coupling,
    }
    results = {}
    for claim, one in checks.items():
        cases = [one(config, generator(config.seed, claim, k)) for k in range(config.cases)]
        formula, oracle = zip(*cases, strict=True)
        results[claim] = torch.stack(formula).detach(), torch.stack(oracle).detach()
    return results


def summarise(results: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Any]:
    """For each claim the largest |formula − oracle|, and the largest |oracle| to compare it to."""
    return {
        claim: {
            "largest_absolute_error": Estimate.exact((formula - oracle).abs().max()),
            "largest_log_determinant": Estimate.exact(oracle.abs().max()),
            "cases": len(oracle),
        }
        for claim, (formula, oracle) in results.items()
    }


def _factors(config: Convolution, random: torch.Generator) -> tuple[Tensor, ...]:
    """P from a random rotation; L, U and s normal."""
    P = InvertibleConvolution(config.channels, random, torch.float64).P
    square = (config.channels, config.channels)
    L, U = (_normal(square, random) for _ in range(2))
    return P, L, U, _normal(square[:1], random)


def _normal(shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=random, dtype=torch.float64)


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
    index = torch.arange(size).view(shape)
    orders = [
        index.flatten(),  # channel, row, column
        index.permute(1, 2, 0).flatten(),  # row, column, channel
        index.permute(2, 1, 0).flatten(),  # column, row, channel
        torch.randperm(size, generator=random),
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
    layer = ConvolutionalCoupling(config.channels, positions, 16, random, torch.float64)
    x = _normal((2 * config.channels, config.height, config.width), random)
    return layer(x)[1], jacobian_log_abs_det(lambda v: layer(v)[0], x)
