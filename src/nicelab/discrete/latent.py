"""A small model of images with binary codes, trained by its exact ELBO.

    p(z) = Bernoulli(½)^k,    p(x | z) = Bernoulli(σ(W z + c)),    q(z | x) = Bernoulli(σ(A x + a))

of scikit-learn's digits, 8 × 8 pixels, white where a pixel is above half of its range. With so few
codes the ELBO is a sum over all of them.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn.functional import softplus

from nicelab.discrete.config import Latent
from nicelab.discrete.objectives import LogJoint, every_code
from nicelab.streams import generator

HALF = 8  # of the digits' 16 levels
START = 0.1  # standard deviation of weights before training


@dataclass(frozen=True)
class Model:
    """W (D, k), c (D,), A (k, D) and a (k,)."""

    decoder: Tensor
    decoder_bias: Tensor
    encoder: Tensor
    encoder_bias: Tensor

    def parts(self) -> tuple[Tensor, ...]:
        """All weights."""
        return self.decoder, self.decoder_bias, self.encoder, self.encoder_bias

    def logits(self, images: Tensor) -> Tensor:
        """Of the codes of each image (m, D), shape (m, k)."""
        return images @ self.encoder.mT + self.encoder_bias

    def objective(self, images: Tensor) -> LogJoint:
        """The part of the ELBO that is estimated, at the codes of these images."""
        return LogJoint(images, self.logits(images), self.decoder, self.decoder_bias)

    def elbo(self, images: Tensor) -> Tensor:
        """Of each image in nats, shape (m,): Σ_z q(z | x) log(p(x, z) / q(z | x))."""
        logits = self.logits(images)
        codes = every_code(logits.shape[-1])
        log_q = logits @ codes.mT - softplus(logits).sum(-1, keepdim=True)  # (m, 2^k)
        pixels = codes @ self.decoder.mT + self.decoder_bias
        likelihood = images @ pixels.mT - softplus(pixels).sum(-1)
        return (log_q.exp() * (likelihood - log_q)).sum(-1) - logits.shape[-1] * math.log(2)


def digits() -> Tensor:
    """The 1797 images, 0 or 1, shape (1797, 64), float64."""
    return torch.from_numpy((load_digits().data > HALF).astype(float))


def start(config: Latent, seed: int, dimensions: int) -> Model:
    """A model with small random weights."""
    random = generator(seed, "discrete", "weights")
    shapes = (dimensions, config.codes), (dimensions,), (config.codes, dimensions), (config.codes,)
    parts = [START * torch.randn(*s, generator=random, dtype=torch.float64) for s in shapes]
    return Model(*parts)


def train(model: Model, images: Tensor, config: Latent) -> tuple[Model, np.ndarray]:
    """The model after so many steps of Adam on the exact ELBO of all images.

    Returns:
        The model, and the mean ELBO before each step and after the last, (steps + 1,), in nats.
    """
    parts = [part.clone().requires_grad_() for part in model.parts()]
    optimiser = torch.optim.Adam(parts, config.learning_rate)
    elbo = []
    for _ in range(config.steps):
        optimiser.zero_grad()
        mean = Model(*parts).elbo(images).mean()
        (-mean).backward()
        optimiser.step()
        elbo.append(float(mean.detach()))
    trained = Model(*(part.detach() for part in parts))
    return trained, np.array([*elbo, float(trained.elbo(images).mean())])
