"""Bits as thresholds of logistic variables, and those variables given the bits.

    Z = θ + log u/(1 − u),    B = 1[Z > 0],    so that P(B = 1) = σ(θ)

(Maddison, Mnih and Teh, 2017; Jang, Gu and Poole, 2017.)
"""

import torch
from torch import Tensor

from nicelab.discrete.objectives import Objective

EDGE = 1e-12  # by which uniform numbers keep off 0 and 1


def bits_of(objective: Objective, u: Tensor) -> Tensor:
    """1 where u < p, shape of u (*, m, k)."""
    return (u < objective.logits.sigmoid()).to(u.dtype)


def latent(objective: Objective, u: Tensor) -> Tensor:
    """Z, shape of u (*, m, k); ∂Z/∂θ = 1."""
    return objective.logits + torch.logit(u, EDGE)


def latent_given(objective: Objective, bits: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Z̃, distributed as Z given the bits, and ∂Z̃/∂θ with v held; both (*, m, k).

    Z̃ = θ + logit u, u = 1 − p + v p where the bit is set, else v (1 − p) (Tucker et al., 2017,
    appendix).
    """
    p = objective.logits.sigmoid()
    u = torch.where(bits == 1, 1 - p + v * p, v * (1 - p)).clamp(EDGE, 1 - EDGE)
    slope = torch.where(bits == 1, v - 1, -v) * p * (1 - p)
    return objective.logits + torch.logit(u), 1 + slope / (u * (1 - u))
