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


def factor(fisher: Tensor, hidden: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    """A with A Aᵀ = (F_hh)⁻¹ on the hidden pixels and 0 elsewhere, shape (k, D, D).

    Steps of A times a standard normal vector have the covariance of p's mean precision. The
    correlations in F are shrunk by a thousandth, so that it can be factored.

    Args:
        fisher: F, float64, shape (D, D).
        hidden: bool, shape (k, D).
        dtype: of A.
    """
    factors = torch.zeros(len(hidden), *fisher.shape, dtype=dtype, device=fisher.device)
    for mask, a in zip(hidden, factors, strict=True):
        block = fisher[mask][:, mask]
        scale = block.diagonal().rsqrt()
        correlation = scale[:, None] * block * scale
        correlation = torch.lerp(correlation, torch.eye(len(block)).to(correlation), 1e-3)
        lower = torch.linalg.cholesky(correlation)
        identity = torch.eye(len(block)).to(lower)
        inverse = torch.linalg.solve_triangular(lower, identity, upper=False)
        where = mask.nonzero()[:, 0]
        a[where[:, None], where] = (scale[:, None] * inverse.mT).to(dtype)
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
    """What the chains of each of n images say.

    Args:
        mean: over draws and chains, shape (n, D).
        chain_variance: of the chains' means about it, shape (n, D).
        standard_deviation: of all draws, shape (n, D).
        last: the last state of each chain, shape (n, chains, D).
        acceptance: mean over draws and chains, shape (n,).
    """

    mean: Tensor
    chain_variance: Tensor
    standard_deviation: Tensor
    last: Tensor
    acceptance: Tensor


def summarise(draws: Iterator[Draw], chains: int, shown: Callable[[Tensor], Tensor]) -> Moments:
    """Moments over draws and chains, one draw at a time.

    Args:
        draws: of n · chains chains; those of one image are neighbours.
        chains: of each image, at least 2.
        shown: what of a state is averaged, of the same shape.
    """
    count, acceptance = 0, []
    for draw in draws:
        x = draw.x.reshape(-1, chains, draw.x.shape[-1])
        if not count:
            centre = shown(x).mean(1, keepdim=True)  # moments about a point that is near the mean
            first = second = torch.zeros_like(x)
        deviation = shown(x) - centre
        first, second = first + deviation, second + deviation.square()
        count += 1
        acceptance.append(draw.acceptance.reshape(-1, chains).mean(1))
    total, square = first.sum(1), second.sum(1)
    variance = (square - total.square() / (count * chains)).clamp(min=0) / (count * chains - 1)
    return Moments(
        mean=centre[:, 0] + total / (count * chains),
        chain_variance=(first / count).var(1),
        standard_deviation=variance.sqrt(),
        last=x,
        acceptance=torch.stack(acceptance).mean(0),
    )


def follow(
    draws: Iterator[Draw], chains: int, summaries: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Scalars of each draw, shape (n, scalars, chains, draws).

    Args:
        draws: as for `summarise`.
        chains: of each image.
        summaries: scalars from x, (n, chains, D), and log p, (n, chains); (n, scalars, chains).
    """
    scalars = [
        summaries(draw.x.reshape(-1, chains, draw.x.shape[-1]), draw.log_prob.reshape(-1, chains))
        for draw in draws
    ]
    return torch.stack(scalars, -1)
