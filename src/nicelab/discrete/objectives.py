"""What is differentiated: E[f(B)] with respect to the logits θ of independent bits B.

A problem has m such expectations, of k bits each; they share nothing but the code. f is also
defined between 0 and 1, as relaxed estimators need. All exact answers are sums over the 2^k
outcomes.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import softplus


class Objective(ABC):
    """f and the logits, shape (m, k), at which its expectation is differentiated."""

    logits: Tensor

    @abstractmethod
    def value(self, z: Tensor) -> Tensor:
        """f, shape (*, m), for z of shape (*, m, k), 0 to 1."""

    @abstractmethod
    def derivative(self, z: Tensor) -> Tensor:
        """∂f/∂z, shape (*, m, k)."""


class Bits(Objective):
    """f(b) = (Σ b_i − t)² of one set of bits.

    Args:
        logits: shape (k,).
        target: t.
    """

    def __init__(self, logits: Tensor, target: float) -> None:
        self.logits, self.target = logits[None], target

    def value(self, z: Tensor) -> Tensor:
        """(Σ z_i − t)²."""
        return (z.sum(-1) - self.target) ** 2

    def derivative(self, z: Tensor) -> Tensor:
        """2 (Σ z_i − t), for every bit."""
        return (2 * (z.sum(-1, keepdim=True) - self.target)).expand(z.shape)


class LogJoint(Objective):
    """f(z) = log p(x, z) of images x under a model with binary codes z, as in `latent`.

        log p(z) = −k log 2,    log p(x | z) = Σ x l − log(1 + e^l),    l = W z + c

    The ELBO is E f plus the entropy of the bits, whose gradient needs no estimator.

    Args:
        images: x, 0 or 1, shape (m, D).
        logits: of the codes of each image, (m, k).
        weights: W, (D, k).
        bias: c, (D,).
    """

    def __init__(self, images: Tensor, logits: Tensor, weights: Tensor, bias: Tensor) -> None:
        self.images, self.logits, self.weights, self.bias = images, logits, weights, bias

    def value(self, z: Tensor) -> Tensor:
        """In nats."""
        pixels = z @ self.weights.mT + self.bias
        return (self.images * pixels - softplus(pixels)).sum(-1) - z.shape[-1] * math.log(2)

    def derivative(self, z: Tensor) -> Tensor:
        """Σ (x − σ(l)) W."""
        pixels = z @ self.weights.mT + self.bias
        return (self.images - pixels.sigmoid()) @ self.weights


def every_code(k: int) -> Tensor:
    """All strings of k bits, shape (2^k, k), float64."""
    return (torch.arange(2**k)[:, None] >> torch.arange(k) & 1).double()


def outcomes(logits: Tensor) -> tuple[Tensor, Tensor]:
    """All bit strings for each set of logits (m, k), (2^k, m, k), and their probabilities."""
    bits = every_code(logits.shape[-1])[:, None].expand(-1, len(logits), -1)
    p = logits.sigmoid()
    return bits, torch.where(bits == 1, p, 1 - p).prod(-1)


def exact_gradient(objective: Objective) -> Tensor:
    """∇_θ E f, shape (m, k): Σ_b P(b) f(b) (b − p)."""
    bits, probability = outcomes(objective.logits)
    weighted = (probability * objective.value(bits))[..., None]
    return (weighted * (bits - objective.logits.sigmoid())).sum(0)
