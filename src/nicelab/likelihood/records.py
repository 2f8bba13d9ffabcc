"""What the likelihood studies find: the arrays that stages write and figures read."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from nicelab.records import Record, key
from nicelab.statistics import NORMAL_95

PARTS = ("training", "validation", "test")  # of the images


@dataclass(frozen=True)
class Curve(Record):
    """The training curve, a row for each epoch, all of shape (epochs,); likelihoods in nats."""

    epoch: Float64[np.ndarray, " epochs"]
    learning_rate: Float64[np.ndarray, " epochs"]
    training_log_likelihood: Float64[np.ndarray, " epochs"]
    validation_log_likelihood: Float64[np.ndarray, " epochs"]
    validation_standard_error: Float64[np.ndarray, " epochs"]

    def validation_interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the normal 95 % interval in each epoch."""
        margin = NORMAL_95 * self.validation_standard_error
        return self.validation_log_likelihood - margin, self.validation_log_likelihood + margin


@dataclass(frozen=True)
class Likelihoods(Record):
    """Log-likelihood in nats of each image of a part, its mean over noise draws, (n,)."""

    training: Float64[np.ndarray, " training"]
    validation: Float64[np.ndarray, " validation"]
    test: Float64[np.ndarray, " test"]


@dataclass(frozen=True)
class Diagnostics(Record):
    """Likelihoods of images of several kinds, and the latents' marginals.

    Args:
        test: log-likelihood of each test image in nats, with one noise draw, (n,).
        other: the same of images of each other kind.
        distances: of each latent's distribution from the prior (Kolmogorov–Smirnov), (D,).
        latent_percentiles: 1 to 99 of each latent, (D, 99).
    """

    test: Float64[np.ndarray, " test"]
    other: dict[str, Float64[np.ndarray, " _"]] = key("other_{}")
    distances: Float64[np.ndarray, " dimensions"]
    latent_percentiles: Float64[np.ndarray, "dimensions 99"]


@dataclass(frozen=True)
class Samples(Record):
    """What the model makes.

    Args:
        shape: of an image, (channels, height, width).
        samples: shape (grid², D).
        temperatures: shape (k,).
        at_temperatures: samples at each, (k, grid, D).
        nearest_images: the training images nearest to them, (k, grid, D).
        interpolations: between test images, (pairs, steps, D).
        spectrum: scales of the latents, largest first, (D,), if the flow has such.
    """

    shape: Int64[np.ndarray, " 3"]
    samples: Float32[np.ndarray, "count dimensions"]
    temperatures: Float64[np.ndarray, " temperatures"]
    at_temperatures: Float32[np.ndarray, "temperatures grid dimensions"]
    nearest_images: Float32[np.ndarray, "temperatures grid dimensions"]
    interpolations: Float32[np.ndarray, "pairs steps dimensions"]
    spectrum: Float32[np.ndarray, " dimensions"] | None = None
