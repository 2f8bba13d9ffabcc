"""Estimators of ∇_θ E[f(B)] for independent bits B ~ Bernoulli(p), p = σ(θ).

One contract: an estimator takes an objective of m sets of k bits and uniform noise
(*, batch, m, k, r), and returns a gradient for each sample, (*, batch, m, k), whose mean over the
batch estimates the gradient; it states how often it evaluates f or its derivative for a sample.
What has to be tuned is tuned first, on noise of its own (`control.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nicelab.discrete import control, straight, variances
from nicelab.discrete.config import Discrete
from nicelab.discrete.control import Terms
from nicelab.discrete.objectives import Objective
from nicelab.discrete.relaxed import bits_of, latent


def score(objective: Objective, noise: Tensor) -> Tensor:
    """f(b) (b − p): the score function, or REINFORCE (Williams, 1992)."""
    bits, p = bits_of(objective, noise[..., 0]), objective.logits.sigmoid()
    return objective.value(bits)[..., None] * (bits - p)


def score_leave_one_out(objective: Objective, noise: Tensor) -> Tensor:
    """(f(b) less the mean of the batch's other values) (b − p) (Kool et al., 2019)."""
    bits, p = bits_of(objective, noise[..., 0]), objective.logits.sigmoid()
    values, n = objective.value(bits), bits.shape[-3]
    centred = (values - values.mean(-2, keepdim=True)) * n / (n - 1)
    return centred[..., None] * (bits - p)


def measure_valued(objective: Objective, noise: Tensor) -> Tensor:
    """P (1 − p) (f with bit i set − f with it cleared), the others being sampled.

    ∂E f/∂p_i is that difference's mean over the other bits (Mohamed et al., 2020, table 1); it is
    also the local expectation gradient (Titsias and Lázaro-Gredilla, 2015), for with two values to
    a variable the sum over all of them is one difference.
    """
    bits, p = bits_of(objective, noise[..., 0]), objective.logits.sigmoid()
    here = objective.value(bits)
    changes = []
    for i in range(bits.shape[-1]):
        other = bits.clone()
        other[..., i] = 1 - bits[..., i]
        changes.append((objective.value(other) - here) * (1 - 2 * bits[..., i]))
    return p * (1 - p) * torch.stack(changes, dim=-1)


def arm(objective: Objective, noise: Tensor) -> Tensor:
    """(f(1[u > σ(−θ)]) − f(1[u < σ(θ)])) (u − ½) (Yin and Zhou, 2019, theorem 1)."""
    one, other = pair(objective, noise)
    difference = objective.value(one) - objective.value(other)
    return difference[..., None] * (noise[..., 0] - 0.5)


def disarm(objective: Objective, noise: Tensor) -> Tensor:
    """½ (f(b) − f(b̃)) (−1)^b̃ 1[b ≠ b̃] σ(|θ|): ARM's mean given the two sets of bits.

    (Dong, Mnih and Tucker, 2020, equation 7; U2G of Yin et al., 2020, is the same.)
    """
    one, other = pair(objective, noise)
    difference = objective.value(one) - objective.value(other)
    sign = (one - other) * objective.logits.abs().sigmoid()
    return difference[..., None] * sign / 2


def pair(objective: Objective, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Bits from the same uniform numbers u, by 1 − u and by u."""
    u = noise[..., 0]
    return bits_of(objective, 1 - u), bits_of(objective, u)


def straight_through(objective: Objective, noise: Tensor) -> Tensor:
    """∂f/∂z at the bits, times ∂σ(θ)/∂θ (Bengio, Léonard and Courville, 2013, section 4)."""
    bits, p = bits_of(objective, noise[..., 0]), objective.logits.sigmoid()
    return objective.derivative(bits) * p * (1 - p)


def straight_through_gumbel(objective: Objective, noise: Tensor) -> Tensor:
    """∂f/∂z at the bits, times ∂σ(Z)/∂θ, Z = θ + logit u > 0 where a bit is set.

    The two-valued Gumbel-softmax at temperature 1 (Jang, Gu and Poole, 2017, section 2.2).
    """
    z = latent(objective, noise[..., 0])
    soft = z.sigmoid()
    return objective.derivative((z > 0).to(z.dtype)) * soft * (1 - soft)


@dataclass(frozen=True)
class Estimator:
    """Terms, or what tunes them; evaluations for k bits; uniform numbers for a bit.

    `exact` gives the variance of the mean over a batch, summed over all components, times the
    batch, where a sum over outcomes has it. `unbiased` is False where the mean is not the
    gradient; then `mean` gives it, (m, k).
    """

    label: str
    evaluations: Callable[[int], int]
    terms: Terms | None = None
    tune: Callable[[Objective, Discrete, torch.Generator], Terms] | None = None
    noise: int = 1
    exact: Callable[[Objective, int], Tensor] | None = None
    unbiased: bool = True
    mean: Callable[[Objective], Tensor] | None = None

    def tuned(self, objective: Objective, config: Discrete, random: torch.Generator) -> Terms:
        """The terms, ready to be used on this objective."""
        return self.tune(objective, config, random) if self.tune else self.terms


ESTIMATORS = {
    "score": Estimator("score function", lambda k: 1, score, exact=variances.of_score),
    "score_leave_one_out": Estimator(
        "score, leave-one-out baseline",
        lambda k: 1,
        score_leave_one_out,
        exact=variances.of_leave_one_out,
    ),
    "measure_valued": Estimator(
        "measure-valued", lambda k: k + 1, measure_valued, exact=variances.of_measure_valued
    ),
    "arm": Estimator("ARM", lambda k: 2, arm, exact=variances.of_arm),
    "disarm": Estimator("DisARM", lambda k: 2, disarm, exact=variances.of_disarm),
    "rebar_untuned": Estimator("REBAR, η = 1", lambda k: 4, tune=control.rebar_untuned, noise=2),
    "rebar": Estimator("REBAR, tuned", lambda k: 4, tune=control.rebar, noise=2),
    "relax": Estimator("RELAX, f and linear", lambda k: 4, tune=control.relax, noise=2),
    "relax_quadratic": Estimator(
        "RELAX, quadratic alone", lambda k: 1, tune=control.relax_quadratic, noise=2
    ),
    "straight_through": Estimator(
        "straight-through",
        lambda k: 1,
        straight_through,
        exact=straight.of_straight_through,
        unbiased=False,
        mean=straight.mean_straight_through,
    ),
    "straight_through_gumbel": Estimator(
        "straight-through Gumbel-softmax",
        lambda k: 1,
        straight_through_gumbel,
        exact=straight.of_gumbel,
        unbiased=False,
        mean=straight.mean_gumbel,
    ),
}
