"""Likelihood of a trained model, with its error over images and over noise draws."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.distributions import MultivariateNormal

from nicelab.flows.flow import Flow
from nicelab.images.levels import LEVELS, bits_per_dim, dequantise
from nicelab.likelihood.records import Likelihoods
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, difference, mean
from nicelab.streams import generator


class Evaluation(Section):
    """How often each image is dequantised."""

    draws: Annotated[int, Field(ge=2, le=1000)]
    seed: Annotated[int, Field(ge=0)]


def measure(
    model: Flow, parts: dict[str, Tensor], config: Evaluation
) -> tuple[Likelihoods, dict[str, Any]]:
    """Log-likelihood of the training, validation and test part of the data, and metrics.

    Args:
        model: the flow.
        parts: grey levels of each part, (n, D), dtype uint8, on the model's device.
        config: number of draws and seed.
    """
    draws = {part: evaluate(model, pixels, config, part) for part, pixels in parts.items()}
    likelihoods = Likelihoods(**{part: found.mean(0).numpy() for part, found in draws.items()})
    return likelihoods, {part: summarise(found, model.dimensions) for part, found in draws.items()}


def evaluate(model: Flow, pixels: Tensor, config: Evaluation, part: str) -> Tensor:
    """Log-likelihood in nats of every image and noise draw, shape (draws, n), float64.

    Args:
        model: the flow.
        pixels: grey levels, shape (n, D), dtype uint8, on the model's device.
        config: number of draws and seed.
        part: `test`, `validation`, …: each part of the data has noise of its own.
    """
    draws = []
    for draw in range(config.draws):
        noise = generator(config.seed, part, draw, device=pixels.device)
        draws.append(model.log_likelihoods(dequantise(pixels, noise)).cpu())
    return torch.stack(draws)


def baseline(training: Tensor, parts: dict[str, Tensor]) -> dict[str, Any]:
    """Log-likelihood under the Gaussian with mean and covariance of dequantised images, by part.

    What any density model has to beat; D (D + 3) / 2 numbers, found without a search.

    Args:
        training: grey levels that it is fitted to, shape (n, D), dtype uint8.
        parts: grey levels of each part, (m, D), in the middle of which it is evaluated.
    """
    x = (training.double() + 0.5) / LEVELS
    noise = torch.eye(x.shape[1], dtype=x.dtype, device=x.device) / (12 * LEVELS**2)
    gaussian = MultivariateNormal(x.mean(0), torch.cov(x.mT) + noise)
    # Noise averages to −tr(Σ⁻¹) / (24 · 256²) beside the log density in the middle.
    spread = torch.diagonal(gaussian.precision_matrix).sum() / (24 * LEVELS**2)
    found = {part: gaussian.log_prob((y.double() + 0.5) / LEVELS) for part, y in parts.items()}
    return {part: {"log_likelihood": mean((y - spread).cpu())} for part, y in found.items()}


def gaps(summary: Mapping[str, Any]) -> dict[str, Estimate]:
    """How much likelier training and test images are than validation images; over images.

    Only the first is what the model has learned of its training images alone. The second is a
    difference between two sets that the model has not seen.
    """
    validation = summary["validation"]["log_likelihood"]
    return {
        f"{part}_less_validation": difference(summary[part]["log_likelihood"], validation)
        for part in ("training", "test")
    }


def summarise(log_likelihoods: Tensor, dimensions: int) -> dict[str, Any]:
    """Metrics from log-likelihoods of shape (draws, n).

    The images are the independent samples: the standard error is over images, of which each
    counts with its mean over the draws. `log_likelihood_over_draws` has the same value with the
    error that the dequantisation noise alone makes for these images.
    """
    over_images = mean(log_likelihoods.mean(0))
    per_dimension = Estimate(
        bits_per_dim(over_images.value, dimensions),
        over_images.standard_error / (dimensions * math.log(2)),
        over_images.n,
    )
    return {
        "log_likelihood": over_images,
        "bits_per_dim": per_dimension,
        "log_likelihood_over_draws": mean(log_likelihoods.mean(1)),
    }
