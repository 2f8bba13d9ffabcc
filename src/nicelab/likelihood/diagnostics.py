"""What the likelihood hides: digit by digit, latent by latent, and on images of other kinds.

Were the model the distribution of the images, each latent of an image would have the prior's
distribution, and other images would be less likely. Neither has to hold for a flow with a good
likelihood (Nalisnick et al., 2019, "Do deep generative models know what they don't know?").
"""

from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from scipy import stats
from torch import Tensor

from nicelab.flows.flow import Flow, Prior
from nicelab.images.levels import LEVELS, dequantise
from nicelab.images.shapes import SIDE
from nicelab.likelihood.records import Diagnostics
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

LEVEL = 0.01  # of the Kolmogorov–Smirnov tests


class Diagnosis(Section):
    """How many images of each other kind to look at."""

    images: Annotated[int, Field(ge=2, le=10_000)]
    seed: Annotated[int, Field(ge=0)]


LAWS = {"norm": "normal"}  # what a reader calls a distribution of scipy.stats
KINDS = {
    "test": "test images",
    "digits": "scikit-learn digits",
    "shifted": "test images, shifted by a pixel",
    "inverted": "test images, inverted",
    "uniform": "uniform noise",
    "black": "black images",
}


def diagnose(
    model: Flow, test: Tensor, labels: np.ndarray, digits: Tensor | None, config: Diagnosis
) -> tuple[Diagnostics, dict[str, Any]]:
    """Likelihood per digit and of other images, and the latents' marginals; and metrics.

    Args:
        model: the flow.
        test: grey levels of the test images, (n, D), dtype uint8, on the model's device.
        labels: their digits, (n,).
        digits: levels of another set of digits, (m, D), None if there is none.
        config: how many other images.
    """
    images = {
        kind: dequantise(pixels, generator(config.seed, kind, device=pixels.device))
        for kind, pixels in {"test": test, **other_images(test, digits, config)}.items()
    }
    nats = {kind: model.log_likelihoods(x).cpu().numpy() for kind, x in images.items()}
    with torch.no_grad():
        latents = model(images["test"])[0].cpu().numpy()
    distances, pvalues = distances_from(model.prior, latents)
    percentiles = np.percentile(latents, np.arange(1, 100), axis=0).T
    known = nats.pop("test")
    return Diagnostics(
        test=known, other=nats, distances=distances, latent_percentiles=percentiles
    ), {
        "by_digit": _by_digit(known, labels),
        "other_images": {kind: _beside(known, found) for kind, found in nats.items()},
        "latents": {
            "median_distance": Estimate.exact(np.median(distances)),
            "largest_distance": Estimate.exact(distances.max()),
            "critical_distance": Estimate.exact(stats.kstwo.isf(LEVEL, len(test))),
            "share_rejected_at_1_percent": Estimate.exact((pvalues < LEVEL).mean()),
            "standard_deviation": mean(latents.std(0, ddof=1)),
        },
        "prior": model.prior.name,
        "labels": {
            "images": {k: KINDS[k] for k in ("test", *nats)},
            "prior": LAWS.get(model.prior.name, model.prior.name),
        },
    }


def _by_digit(nats: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Of each digit of which there are two images."""
    groups = {digit: nats[labels == digit] for digit in range(10)}
    return {str(d): {"log_likelihood": mean(x)} for d, x in groups.items() if len(x) > 1}


def _beside(known: np.ndarray, other: np.ndarray) -> dict[str, Estimate]:
    return {
        "log_likelihood": mean(other),
        "share_above_the_median_test_image": mean(other > np.median(known)),
    }


def other_images(test: Tensor, digits: Tensor | None, config: Diagnosis) -> dict[str, Tensor]:
    """Grey levels of images that the model was not trained on, by kind, each (≤ images, D)."""
    known = test[: config.images]
    noise = torch.randint(
        LEVELS,
        known.shape,
        generator=generator(config.seed, "uniform", device=test.device),
        device=test.device,
        dtype=torch.uint8,
    )
    kinds = {
        "shifted": known.unflatten(-1, (SIDE, SIDE)).roll(1, -1).flatten(-2),
        "inverted": LEVELS - 1 - known,
        "uniform": noise,
        "black": torch.zeros_like(known),
    }
    return kinds if digits is None else {"digits": digits[: config.images], **kinds}


def distances_from(prior: Prior, latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kolmogorov–Smirnov distance of each column's distribution from the prior; p-values.

    Args:
        prior: the latents' supposed distribution.
        latents: independent rows, shape (n, D).

    Returns:
        The largest differences between the distribution functions and p-values, both (D,).
    """
    exact = getattr(stats, prior.name).cdf
    test = stats.ks_1samp(latents, exact, axis=0, method="asymp")
    return test.statistic, test.pvalue
