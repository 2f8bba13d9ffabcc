"""The score function where there is no path: E[f(B)] for independent bits B_i ~ Bernoulli(σ(θ_i)).

f(b) = (Σ b_i − t)². A bit jumps as θ moves, so ∂b/∂θ is 0 or does not exist and the pathwise
estimator with it; the score ∇ log P(b) = b − p does. All exact answers are sums over the 2^k
outcomes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator


class Bernoulli(Section):
    """Logits θ, the target t of f, and how the estimators are sampled."""

    logits: Annotated[list[float], Field(min_length=1, max_length=16)]
    target: float
    batch: Annotated[int, Field(ge=2, le=65_536)]
    replicates: Annotated[int, Field(ge=2, le=10_000_000)]


def f(bits: Tensor, target: float) -> Tensor:
    """(Σ b_i − t)², shape (*), for bits (*, k)."""
    return (bits.sum(-1) - target) ** 2


def outcomes(theta: Tensor) -> tuple[Tensor, Tensor]:
    """All bit strings, shape (2^k, k), and their probabilities, (2^k,)."""
    places = torch.arange(len(theta), device=theta.device)
    numbers = torch.arange(2 ** len(theta), device=theta.device)
    bits = (numbers[:, None] >> places & 1).to(theta.dtype)
    p = theta.sigmoid()
    return bits, torch.where(bits == 1, p, 1 - p).prod(-1)


def exact_gradient(theta: Tensor, target: float) -> Tensor:
    """∇_θ E f, shape (k,)."""
    bits, probability = outcomes(theta)
    return ((probability * f(bits, target))[:, None] * (bits - theta.sigmoid())).sum(0)


def score(theta: Tensor, bits: Tensor, target: float) -> Tensor:
    """f(b) (b − p), shape (*, batch, k)."""
    return f(bits, target)[..., None] * (bits - theta.sigmoid())


def score_leave_one_out(theta: Tensor, bits: Tensor, target: float) -> Tensor:
    """(f(b) less the mean of the batch's other values) (b − p), shape (*, batch, k)."""
    values, n = f(bits, target), bits.shape[-2]
    baseline = (values.sum(-1, keepdim=True) - values) / (n - 1)
    return (values - baseline)[..., None] * (bits - theta.sigmoid())


def measure_valued(theta: Tensor, bits: Tensor, target: float) -> Tensor:
    """p_i (1 − p_i) (f with bit i set − f with bit i cleared), shape (*, batch, k).

    ∂E f/∂p_i is that difference's mean over the other bits (Mohamed et al., 2020, table 1).
    """
    p = theta.sigmoid()
    others = bits.sum(-1, keepdim=True) - bits
    difference = (others + 1 - target) ** 2 - (others - target) ** 2
    return p * (1 - p) * difference


@dataclass(frozen=True)
class Estimator:
    """Terms of θ, bits (*, k) and the target, their label, and evaluations of f for k bits."""

    label: str
    terms: Callable[[Tensor, Tensor, float], Tensor]
    evaluations: Callable[[int], int]


ESTIMATORS = {
    "score": Estimator("score function", score, lambda k: 1),
    "score_leave_one_out": Estimator(
        "score, leave-one-out baseline", score_leave_one_out, lambda k: 1
    ),
    "measure_valued": Estimator("measure-valued", measure_valued, lambda k: 2 * k),
}


def measure(config: Bernoulli, seed: int, device: torch.device | str = "cpu") -> dict[str, Any]:
    """The gradient by each estimator, component by component, and its variance × batch."""
    theta = torch.tensor(config.logits, dtype=torch.float64, device=device)
    exact = exact_gradient(theta, config.target)
    metrics: dict[str, Any] = {
        "exact_gradient": {f"theta_{i}": Estimate.exact(g) for i, g in enumerate(exact)}
    }
    for name, estimator in ESTIMATORS.items():
        bits = draw(theta, config, generator(seed, "bernoulli", name, device=device))
        means = estimator.terms(theta, bits, config.target).mean(-2).cpu()
        squares = config.batch * (means - means.mean(0)) ** 2
        metrics[name] = {
            "evaluations": estimator.evaluations(len(theta)),
            "variance": mean(squares.sum(-1)),
            **{f"theta_{i}": mean(means[:, i]) for i in range(len(theta))},
        }
    return metrics


def draw(theta: Tensor, config: Bernoulli, random: torch.Generator) -> Tensor:
    """Bits of shape (replicates, batch, k), of θ's dtype."""
    shape = config.replicates, config.batch, len(theta)
    u = torch.rand(shape, generator=random, dtype=theta.dtype, device=random.device)
    return (u < theta.sigmoid()).to(theta.dtype)
