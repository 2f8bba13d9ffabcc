"""What the likelihood studies find: the arrays that stages write and figures read."""

from dataclasses import dataclass

import numpy as np

from nicelab.records import Record, key
from nicelab.statistics import NORMAL_95

PARTS = ("training", "validation", "test")  # of the images


@dataclass(frozen=True)
class Curve(Record):
    """The training curve, a row for each epoch, all of shape (epochs,); likelihoods in nats."""

    epoch: np.ndarray
    learning_rate: np.ndarray
    training_log_likelihood: np.ndarray
    validation_log_likelihood: np.ndarray
    validation_standard_error: np.ndarray

    def validation_interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the normal 95 % interval in each epoch."""
        margin = NORMAL_95 * self.validation_standard_error
        return self.validation_log_likelihood - margin, self.validation_log_likelihood + margin


@dataclass(frozen=True)
class Likelihoods(Record):
    """Log-likelihood in nats of each image of a part, its mean over noise draws, (n,)."""

    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Diagnostics(Record):
    """Likelihoods of images of several kinds, and the latents' marginals.

    Args:
        test: log-likelihood of each test image in nats, with one noise draw, (n,).
        other: the same of images of each other kind.
        distances: of each latent's distribution from the prior (Kolmogorov–Smirnov), (D,).
        latent_percentiles: 1 to 99 of each latent, (D, 99).
    """

    test: np.ndarray
    other: dict[str, np.ndarray] = key("other_{}")
    distances: np.ndarray
    latent_percentiles: np.ndarray


@dataclass(frozen=True)
class Samples(Record):
    """What the model makes.

    Args:
        samples: shape (grid², D).
        temperatures: shape (k,).
        at_temperatures: samples at each, (k, grid, D).
        nearest_images: the training images nearest to them, (k, grid, D).
        interpolations: between test images, (pairs, steps, D).
        spectrum: scales of the latents, largest first, (D,), if the flow has such.
    """

    samples: np.ndarray
    temperatures: np.ndarray
    at_temperatures: np.ndarray
    nearest_images: np.ndarray
    interpolations: np.ndarray
    spectrum: np.ndarray | None = None
