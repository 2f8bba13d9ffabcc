"""Exact variances by sums over outcomes.

Each function returns the variance of the mean over a batch, summed over all components, times the
batch.
"""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from nicelab.discrete.objectives import Objective, exact_gradient, outcomes

TINY = 1e-300  # in the place of a probability of 0


def of_score(objective: Objective, batch: int) -> Tensor:
    """Σ_b P(b) f(b)² (b − p)² less the squared gradient."""
    bits, probability = outcomes(objective.logits)
    squares = (objective.value(bits)[..., None] * (bits - objective.logits.sigmoid())) ** 2
    return _less_gradient(objective, (probability[..., None] * squares).sum(0))


def of_leave_one_out(objective: Objective, batch: int) -> Tensor:
    """V + (g² + Var f E[s²]) / (b − 1), with V that of (f − E f) s and s = b − p.

    The estimator is the U-statistic of ½ (f₁ − f₂)(s₁ − s₂) (Hoeffding, 1948, section 5).
    """
    bits, probability = outcomes(objective.logits)
    p, values = objective.logits.sigmoid(), objective.value(bits)
    centred = values - (probability * values).sum(0)
    squares = (probability[..., None] * (centred[..., None] * (bits - p)) ** 2).sum(0)
    spread = (probability * centred**2).sum(0)[:, None] * p * (1 - p)
    more = (exact_gradient(objective) ** 2 + spread) / (batch - 1)
    return _less_gradient(objective, squares + more)


def of_measure_valued(objective: Objective, batch: int) -> Tensor:
    """Σ_b P(b) (p (1 − p) (f with bit i set − f with it cleared))² less the squared gradient."""
    bits, probability = outcomes(objective.logits)
    p = objective.logits.sigmoid()
    squares = []
    for i in range(bits.shape[-1]):
        on, off = bits.clone(), bits.clone()
        on[..., i], off[..., i] = 1, 0
        change = p[:, i] * (1 - p[:, i]) * (objective.value(on) - objective.value(off))
        squares.append((probability * change**2).sum(0))
    return _less_gradient(objective, torch.stack(squares, dim=-1))


def of_arm(objective: Objective, batch: int) -> Tensor:
    """Over the three pairs that one uniform number gives to a bit, with E[(u − ½)²] of each."""
    return _of_pairs(objective, lambda low, high: ((high - 0.5) ** 3 - (low - 0.5) ** 3) / 3)


def of_disarm(objective: Objective, batch: int) -> Tensor:
    """The same with the mean of u − ½ given the pair, which is σ(|θ|)/2 where its bits differ."""

    def squared_mean(low: Tensor, high: Tensor) -> Tensor:
        first = ((high - 0.5) ** 2 - (low - 0.5) ** 2) / 2
        return first**2 / (high - low).clamp_min(TINY)

    return _of_pairs(objective, squared_mean)


def _of_pairs(objective: Objective, moment_of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Σ over pairs P(others) (f(b) − f(b̃))² M, with M for bit i between two ends of its u.

    With u below min(p, 1 − p) the pair is (0, 1), above max(p, 1 − p) it is (1, 0), and between
    both bits are 1 if p > ½, else 0.
    """
    p = objective.logits.sigmoid()
    low, high = torch.minimum(p, 1 - p), torch.maximum(p, 1 - p)
    ends = torch.stack([torch.zeros_like(p), low, high, torch.ones_like(p)])
    same = (p > 0.5).to(p.dtype)
    ones = torch.stack([torch.zeros_like(p), same, torch.ones_like(p)])
    others = torch.stack([torch.ones_like(p), same, torch.zeros_like(p)])
    k = p.shape[-1]
    which, column = torch.tensor(list(product(range(3), repeat=k))), torch.arange(k)
    chance, moment, one, other = (  # each (3^k, m, k)
        x[which, :, column].movedim(1, -1)
        for x in (ends[1:] - ends[:-1], moment_of(ends[:-1], ends[1:]), ones, others)
    )
    difference = objective.value(one) - objective.value(other)
    rest = chance.prod(-1, keepdim=True) / chance.clamp_min(TINY)
    return _less_gradient(objective, (difference[..., None] ** 2 * rest * moment).sum(0))


def _less_gradient(objective: Objective, squares: Tensor) -> Tensor:
    """The sum of E[g²] − (E g)² over components (m, k)."""
    return (squares - exact_gradient(objective) ** 2).sum()
