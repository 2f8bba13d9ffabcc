"""REBAR and RELAX: f(b) ∇ log P(b) plus the multiple of brackets of mean zero that varies least.

REBAR's control variate is η f of the relaxed bits (Tucker et al., 2017, section 3); RELAX learns
it (Grathwohl et al., 2018). Here what is learned is linear in its coefficients, and so are the
brackets: those of least variance solve linear equations in the covariances, and need no descent.
They are estimated on noise of their own. Half of it is held out to choose a temperature and a
ridge, for where a bit is almost sure some products of bits are next to never seen.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from nicelab.discrete.brackets import linear, plain, quadratic, relaxed
from nicelab.discrete.config import Discrete
from nicelab.discrete.objectives import Objective

Terms = Callable[[Objective, Tensor], Tensor]
Basis = Callable[[Objective, Tensor, float], Tensor]  # of noise and a temperature
RIDGES = (1e-6, 1e-4, 1e-2)  # added to the variance of every bracket
TOGETHER = 250  # samples whose brackets are in memory


def rebar_untuned(objective: Objective, config: Discrete, random: torch.Generator) -> Terms:
    """η = 1 and a fixed temperature: nothing is learned."""

    def terms(of: Objective, noise: Tensor) -> Tensor:
        return plain(of, noise) + relaxed(of, noise, config.temperature)[0]

    return terms


def rebar(objective: Objective, config: Discrete, random: torch.Generator) -> Terms:
    """With η and the temperature of least variance; each set of bits has an η of its own."""
    return _least_variance(objective, config, random, relaxed)


def relax(objective: Objective, config: Discrete, random: torch.Generator) -> Terms:
    """With REBAR's and a linear function of the relaxed bits."""

    def basis(of: Objective, noise: Tensor, temperature: float) -> Tensor:
        return torch.cat([relaxed(of, noise, temperature), linear(of, noise, temperature)])

    return _least_variance(objective, config, random, basis)


def relax_quadratic(objective: Objective, config: Discrete, random: torch.Generator) -> Terms:
    """With a quadratic function of the relaxed bits, which takes no evaluation of f."""
    return _least_variance(objective, config, random, quadratic)


def _least_variance(
    objective: Objective, config: Discrete, random: torch.Generator, basis: Basis
) -> Terms:
    """f(b) (b − p) plus the combination of brackets that varies least.

    Args:
        objective: at which it is tuned.
        config: the number of samples, and temperatures.
        random: source of the noise.
        basis: of the brackets.
    """
    noise = torch.rand(
        config.tuning, *objective.logits.shape, 2, generator=random, dtype=torch.float64
    )
    found: list[tuple[float, float, Tensor]] = []
    for temperature in config.temperatures:
        one, other = (_covariances(objective, half, basis, temperature) for half in noise.chunk(2))
        for ridge in RIDGES:
            left = _variance(other, _coefficients(one, ridge))
            both = _coefficients((one + other) / 2, ridge)
            found.append((left, temperature, both))
    _, temperature, coefficients = min(found, key=lambda one: one[0])

    def terms(of: Objective, noise: Tensor) -> Tensor:
        added = torch.einsum("mj,j...mk->...mk", coefficients, basis(of, noise, temperature))
        return plain(of, noise) + added

    return terms


def _covariances(objective: Objective, noise: Tensor, basis: Basis, temperature: float) -> Tensor:
    """Of f(b) (b − p) and the j brackets, summed over bits, shape (m, 1 + j, 1 + j)."""
    squares, sums = 0, 0
    for part in noise.split(TOGETHER):
        x = torch.cat([plain(objective, part)[None], basis(objective, part, temperature)])
        flat = x.permute(2, 0, 1, 3).flatten(2)
        squares, sums = squares + flat @ flat.mT, sums + x.sum(1).movedim(1, 0)
    n = len(noise)
    return squares / n - (sums / n) @ (sums / n).mT


def _coefficients(covariances: Tensor, ridge: float) -> Tensor:
    """Of the brackets, (m, j), each set of bits with its own."""
    of_brackets, with_plain = covariances[:, 1:, 1:], covariances[:, 1:, 0]
    kept = ridge * torch.eye(with_plain.shape[-1], dtype=covariances.dtype)
    return torch.linalg.solve(of_brackets + kept, -with_plain)


def _variance(covariances: Tensor, coefficients: Tensor) -> float:
    """Of the sum with these coefficients (m, j), over all sets of bits."""
    weights = pad(coefficients, (1, 0), value=1)[..., None]
    return float((weights.mT @ covariances @ weights).sum())
