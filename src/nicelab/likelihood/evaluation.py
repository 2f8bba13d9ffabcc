"""Likelihood of a trained model, with its error over images and over noise draws."""

import math
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from nicelab.flows.nice import NICE
from nicelab.images.levels import bits_per_dim, dequantise
from nicelab.likelihood.training import log_likelihoods
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator


class Evaluation(Section):
    """How often each image is dequantised."""

    draws: Annotated[int, Field(ge=2, le=1000)]
    seed: Annotated[int, Field(ge=0)]


def study(
    model: NICE, parts: dict[str, Tensor], config: Evaluation
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Log-likelihood of several parts of the data.

    Args:
        model: the flow.
        parts: grey levels of each part, (n, D), dtype uint8, on the model's device.
        config: number of draws and seed.

    Returns:
        The log-likelihood of each image in nats, its mean over draws, (n,), and metrics.
    """
    arrays, metrics = {}, {}
    for part, pixels in parts.items():
        draws = evaluate(model, pixels, config, part)
        arrays[part] = draws.mean(0).numpy()
        metrics[part] = summarise(draws, pixels.shape[1])
    return arrays, metrics


def evaluate(model: NICE, pixels: Tensor, config: Evaluation, part: str) -> Tensor:
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
        draws.append(log_likelihoods(model, dequantise(pixels, noise)).cpu())
    return torch.stack(draws)


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
