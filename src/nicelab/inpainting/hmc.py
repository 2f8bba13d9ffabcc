"""Draws of the hidden pixels given the observed ones, by Hamiltonian Monte Carlo.

The target is the model's conditional density p(x_hidden | x_observed) ∝ p(x) on all of R^h: a
flow puts some of its mass outside [0, 1], and that is kept until a completion is shown.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nicelab.inpainting.density import Density, Field, evaluate

ACCEPTANCE = 0.65  # aimed at; best for many dimensions (Beskos et al., 2013)
JITTER = 0.2  # relative, of the step, so that no trajectory returns to where it began


def factor(fisher: Tensor, hidden: Tensor) -> Tensor:
    """A with A Aᵀ = (F_hh)⁻¹ on the hidden pixels and 0 elsewhere, shape (k, D, D).

    Steps of A times a standard normal vector have the covariance of p's mean precision. The
    correlations in F are shrunk by a thousandth, so that it can be factored.

    Args:
        fisher: F, float64, shape (D, D).
        hidden: bool, shape (k, D).
    """
    factors = torch.zeros(len(hidden), *fisher.shape, dtype=fisher.dtype, device=fisher.device)
    for mask, a in zip(hidden, factors, strict=True):
        block = fisher[mask][:, mask]
        scale = block.diagonal().rsqrt()
        correlation = scale[:, None] * block * scale
        correlation = torch.lerp(correlation, torch.eye(len(block)).to(correlation), 1e-3)
        lower = torch.linalg.cholesky(correlation)
        identity = torch.eye(len(block)).to(lower)
        inverse = torch.linalg.solve_triangular(lower, identity, upper=False)
        where = mask.nonzero()[:, 0]
        a[where[:, None], where] = scale[:, None] * inverse.mT
    return factors


@dataclass(frozen=True)
class Draw:
    """The state of all chains.

    Args:
        x: images, shape (k, m, D).
        log_prob: log p(x) in nats, shape (k, m), float64.
        acceptance: probability with which the last proposal was accepted, shape (k, m).
    """

    x: Tensor
    log_prob: Tensor
    acceptance: Tensor


@dataclass(frozen=True)
class Hmc:
    """Hamiltonian Monte Carlo (Neal, 2011) of many chains at once, each with its own step.

    A trajectory may follow any field that depends on the position alone: leapfrog steps stay
    reversible and keep the volume, and log p itself decides whether the end is accepted. So a
    gradient in low precision costs acceptance, if anything, and no exactness.

    Args:
        leapfrog: steps of each trajectory.
        warm_up: trajectories that adapt the step to `ACCEPTANCE` and are not drawn.
        draws: trajectories afterwards, with the step that was found.
        step_size: the step at first, in the scale of A.
    """

    leapfrog: int
    warm_up: int
    draws: int
    step_size: float

    def chains(
        self,
        density: Density,
        field: Field,
        start: Tensor,
        factor: Tensor,
        random: torch.Generator,
    ) -> Iterator[Draw]:
        """The state after each trajectory that follows the warm-up.

        Args:
            density: log p.
            field: ∇ log p, or near it: what the trajectories follow.
            start: where the chains begin, observed pixels included, shape (k, m, D).
            factor: A of each mask, shape (k, D, D); the mass matrix is (A Aᵀ)⁻¹.
            random: the source of momenta, jitter and decisions.
        """

        def uniform() -> Tensor:
            return torch.rand(x.shape[:2], generator=random, device=x.device, dtype=torch.float64)

        a = factor.to(start.dtype)
        x, log_prob, g = start, evaluate(density, start), field(start)
        log_step = torch.full_like(log_prob, self.step_size).log()
        for i in range(self.warm_up + self.draws):
            jitter = 1 + JITTER * (2 * uniform() - 1)
            step = (log_step.exp() * jitter).to(x.dtype)[..., None]
            momentum = torch.randn(x.shape, generator=random, device=x.device, dtype=x.dtype)
            q, new_g, p = self._travel(field, (x, g, momentum), step, a)
            new_log_prob = evaluate(density, q)
            kinetic = (p.double().square() - momentum.double().square()).sum(-1) / 2
            ratio = new_log_prob.double() - log_prob - kinetic
            acceptance = ratio.clamp(max=0).exp().nan_to_num(0)
            accept = uniform() < acceptance
            x, g = torch.where(accept[..., None], q, x), torch.where(accept[..., None], new_g, g)
            log_prob = torch.where(accept, new_log_prob, log_prob)
            if i < self.warm_up:
                log_step += (acceptance - ACCEPTANCE) * 0.7 * (i + 1) ** -0.4
            else:
                yield Draw(x, log_prob, acceptance)

    def _travel(
        self, field: Field, begin: tuple[Tensor, Tensor, Tensor], step: Tensor, a: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One trajectory by the leapfrog method: position, field and momentum at its end."""
        q, g, p = begin
        p = p + step / 2 * (g @ a)
        for j in range(self.leapfrog):
            q = q + step * (p @ a.mT)
            g = field(q)
            p = p + step * (0.5 if j == self.leapfrog - 1 else 1.0) * (g @ a)
        return q, g, p


@dataclass(frozen=True)
class Moments:
    """What the chains of each image say.

    Args:
        mean: shape (k, n, D).
        standard_deviation: shape (k, n, D).
        lower: least value in any draw, shape (k, n, D).
        upper: largest value in any draw, shape (k, n, D).
        last: the last state of each chain, shape (k, n, chains, D).
        scalars: `summaries` of each draw, shape (k, n, scalars, chains, draws).
        acceptance: mean over the draws of a chain, shape (k, n, chains).
    """

    mean: Tensor
    standard_deviation: Tensor
    lower: Tensor
    upper: Tensor
    last: Tensor
    scalars: Tensor
    acceptance: Tensor


def summarise(
    draws: Iterator[Draw], chains: int, summaries: Callable[[Tensor, Tensor], Tensor]
) -> Moments:
    """Moments and extremes over draws and chains, one draw at a time.

    Args:
        draws: of m = n · chains chains; those of one image are neighbours.
        chains: of each image, at least 2.
        summaries: scalars whose mixing is to be judged, from x, (k, n, chains, D), and log p,
            (k, n, chains); shape (k, n, scalars, chains).
    """
    count, scalars, acceptance = 0, [], []
    for draw in draws:
        x = draw.x.unflatten(1, (-1, chains))
        if not count:
            centre = x.mean(2, keepdim=True)  # moments about a point that is near the mean
            first = second = torch.zeros_like(centre[:, :, 0])
            lower, upper = x.amin(2), x.amax(2)
        deviation = x - centre
        first, second = first + deviation.sum(2), second + deviation.square().sum(2)
        lower, upper = torch.minimum(lower, x.amin(2)), torch.maximum(upper, x.amax(2))
        count += chains
        scalars.append(summaries(x, draw.log_prob.unflatten(1, (-1, chains))))
        acceptance.append(draw.acceptance.unflatten(1, (-1, chains)))
    variance = (second - first.square() / count).clamp(min=0) / (count - 1)
    return Moments(
        mean=centre[:, :, 0] + first / count,
        standard_deviation=variance.sqrt(),
        lower=lower,
        upper=upper,
        last=x,
        scalars=torch.stack(scalars, -1),
        acceptance=torch.stack(acceptance).mean(0),
    )
