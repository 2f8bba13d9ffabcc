"""Control variates from relaxed bits: REBAR and RELAX.

For any function c of the logistic variables Z, with bits b of Z and Z̃ distributed as Z given b,

    f(b) ∇ log P(b) + [∂c(Z)/∂θ − ∂c(Z̃)/∂θ − c(Z̃) ∇ log P(b)]

has the mean ∇ E f: the bracket's is zero (Grathwohl et al., 2018, equation 7). REBAR's c is η f
of the relaxed bits σ(Z/λ) (Tucker et al., 2017, section 3); RELAX learns it. Here RELAX's is
linear in what is learned: REBAR's, and σ(Z) of each bit. The bracket is linear in η and in these
coefficients, so those of least variance solve a least-squares problem on noise of its own.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from nicelab.discrete.config import Discrete
from nicelab.discrete.objectives import Objective
from nicelab.discrete.relaxed import latent, latent_given

Terms = Callable[[Objective, Tensor], Tensor]


def rebar(objective: Objective, config: Discrete, random: torch.Generator) -> Terms:
    """With η and the temperature of least variance; each set of bits has an η of its own."""
    return _least_variance(objective, config, random, _relaxed)


def relax(objective: Objective, config: Discrete, random: torch.Generator) -> Terms:
    """With the coefficients and the temperature of least variance."""

    def basis(of: Objective, noise: Tensor, temperature: float) -> Tensor:
        return torch.cat([_relaxed(of, noise, temperature), _each_bit(of, noise)])

    return _least_variance(objective, config, random, basis)


def _least_variance(
    objective: Objective,
    config: Discrete,
    random: torch.Generator,
    basis: Callable[[Objective, Tensor, float], Tensor],
) -> Terms:
    """f(b) (b − p) plus the combination of the basis that varies least, over all temperatures.

    Args:
        objective: at which it is tuned.
        config: the number of samples, and temperatures.
        random: source of the noise.
        basis: brackets of mean zero, shape (j, *, m, k).
    """
    noise = torch.rand(
        config.tuning, *objective.logits.shape, 2, generator=random, dtype=torch.float64
    )
    plain = _plain(objective, noise)
    best: tuple[float, float, Tensor] | None = None
    for temperature in config.temperatures:
        brackets = basis(objective, noise, temperature)
        coefficients = _regress(plain, brackets)
        left = plain + _combined(coefficients, brackets)
        variance = float(left.var(0).sum())
        if best is None or variance < best[0]:
            best = variance, temperature, coefficients
    _, temperature, coefficients = best

    def terms(of: Objective, noise: Tensor) -> Tensor:
        brackets = basis(of, noise, temperature)
        return _plain(of, noise) + _combined(coefficients, brackets)

    return terms


def _regress(plain: Tensor, brackets: Tensor) -> Tensor:
    """Coefficients (j, m) with which plain (n, m, k) plus brackets (j, n, m, k) varies least."""
    centred = (brackets - brackets.mean(1, keepdim=True)).permute(2, 1, 3, 0).flatten(1, 2)
    target = (plain - plain.mean(0)).permute(1, 0, 2).flatten(1)
    return torch.linalg.lstsq(centred, -target[..., None]).solution[..., 0].mT


def _combined(coefficients: Tensor, brackets: Tensor) -> Tensor:
    """Σ_j c_j bracket_j, each set of bits with coefficients of its own; shape (*, m, k)."""
    return torch.einsum("jm,j...mk->...mk", coefficients, brackets)


def _plain(objective: Objective, noise: Tensor) -> Tensor:
    bits = _bits(objective, noise)
    return objective.value(bits)[..., None] * (bits - objective.logits.sigmoid())


def _bits(objective: Objective, noise: Tensor) -> Tensor:
    """Where Z > 0."""
    return (latent(objective, noise[..., 0]) > 0).to(noise.dtype)


def _relaxed(objective: Objective, noise: Tensor, temperature: float) -> Tensor:
    """The bracket of c(z) = f(σ(z/λ)), shape (1, *, m, k)."""
    z, bits = latent(objective, noise[..., 0]), _bits(objective, noise)
    given, slope = latent_given(objective, bits, noise[..., 1])
    soft, soft_given = (z / temperature).sigmoid(), (given / temperature).sigmoid()
    here = objective.derivative(soft) * soft * (1 - soft) / temperature
    there = objective.derivative(soft_given) * soft_given * (1 - soft_given) / temperature
    score = bits - objective.logits.sigmoid()
    value = objective.value(soft_given)[..., None]
    return (here - there * slope - value * score)[None]


def _each_bit(objective: Objective, noise: Tensor) -> Tensor:
    """The brackets of c(z) = σ(z_i) for each bit i, shape (k, *, m, k)."""
    z, bits = latent(objective, noise[..., 0]), _bits(objective, noise)
    given, slope = latent_given(objective, bits, noise[..., 1])
    soft, soft_given = z.sigmoid(), given.sigmoid()
    own = soft * (1 - soft) - soft_given * (1 - soft_given) * slope  # (*, m, k), of bit i alone
    score = bits - objective.logits.sigmoid()
    one = torch.eye(z.shape[-1], dtype=z.dtype)
    brackets = own[..., None, :] * one - soft_given[..., :, None] * score[..., None, :]
    return brackets.movedim(-2, 0)
