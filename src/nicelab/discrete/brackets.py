"""Control variates from relaxed bits: brackets of mean zero.

For any function c of the logistic variables Z, with bits b of Z and Z̃ distributed as Z given b,

    ∂c(Z)/∂θ − ∂c(Z̃)/∂θ − c(Z̃) ∇ log P(b)

has the mean 0 (Grathwohl et al., 2018, equation 7), so that any multiple of it may be added to
f(b) ∇ log P(b). Each function here returns such brackets for one or more c, shape (j, *, m, k),
from uniform noise (*, m, k, 2).
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from nicelab.discrete.objectives import Objective
from nicelab.discrete.relaxed import latent, latent_given


def plain(objective: Objective, noise: Tensor) -> Tensor:
    """f(b) ∇ log P(b) with the bits of Z, shape (*, m, k)."""
    bits = _bits(latent(objective, noise[..., 0]))
    return objective.value(bits)[..., None] * (bits - objective.logits.sigmoid())


def relaxed(objective: Objective, noise: Tensor, temperature: float) -> Tensor:
    """That of c(z) = f(σ(z/λ)), REBAR's (Tucker et al., 2017, section 3): j = 1."""
    (soft, slope), (given, slope_given), score = _softened(objective, noise, temperature)
    here, there = objective.derivative(soft) * slope, objective.derivative(given) * slope_given
    return (here - there - objective.value(given)[..., None] * score)[None]


def linear(objective: Objective, noise: Tensor, temperature: float) -> Tensor:
    """Those of 1 and of σ(z_i/λ) for each bit: j = k + 1."""
    k = objective.logits.shape[-1]
    return _products(objective, noise, temperature, torch.arange(k + 1), torch.full((k + 1,), k))


def quadratic(objective: Objective, noise: Tensor, temperature: float) -> Tensor:
    """Those of 1, σ(z_i/λ) and σ(z_i/λ) σ(z_h/λ), i ≤ h: j = (k + 1)(k + 2)/2."""
    k = objective.logits.shape[-1]
    return _products(objective, noise, temperature, *torch.triu_indices(k + 1, k + 1))


def _products(
    objective: Objective, noise: Tensor, temperature: float, first: Tensor, second: Tensor
) -> Tensor:
    """Those of s_i s_h for pairs of indices (j,), with s_i = σ(z_i/λ), and s_k = 1."""
    soft, given, score = _softened(objective, noise, temperature)
    (s, slope), (t, slope_t) = (_with_one(*x) for x in (soft, given))
    found = -(t[..., first] * t[..., second])[..., None] * pad(score, (0, 1))[..., None, :]
    pair = torch.arange(len(first))
    for one, other in ((first, second), (second, first)):  # the path of one
        path = slope[..., one] * s[..., other] - slope_t[..., one] * t[..., other]
        found[..., pair, one] += path
    return found[..., :-1].movedim(-2, 0)


def _with_one(s: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """With s_k = 1, whose slope is 0."""
    return pad(s, (0, 1), value=1), pad(slope, (0, 1))


def _softened(
    objective: Objective, noise: Tensor, temperature: float
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], Tensor]:
    """σ(Z/λ) and its derivative by θ; those of Z̃; and ∇ log P(b); each (*, m, k)."""
    z = latent(objective, noise[..., 0])
    bits = _bits(z)
    given, slope = latent_given(objective, bits, noise[..., 1])
    soft, soft_given = (z / temperature).sigmoid(), (given / temperature).sigmoid()
    derivative = soft * (1 - soft) / temperature
    derivative_given = soft_given * (1 - soft_given) / temperature * slope
    score = bits - objective.logits.sigmoid()
    return (soft, derivative), (soft_given, derivative_given), score


def _bits(z: Tensor) -> Tensor:
    return (z > 0).to(z.dtype)
