"""What the likelihood hides: class by class, latent by latent, and on images of other kinds.

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
from nicelab.images.records import ImageSet
from nicelab.images.shapes import Shape
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
    model: Flow, data: ImageSet, digits: Tensor | None, config: Diagnosis
) -> tuple[Diagnostics, dict[str, Any]]:
    """Likelihood per class and of other images, and the latents' marginals; and metrics.

    Args:
        model: the flow.
        data: the test images, their classes if they have any, and their shape.
        digits: levels of another set of images, (m, D), None if there is none.
        config: how many other images.
    """
    test = torch.from_numpy(data.test_pixels).to(model.device)
    others = other_images(test, data.of_shape, digits, config)
    images = {
        kind: dequantise(pixels, generator(config.seed, kind, device=pixels.device))
        for kind, pixels in {"test": test, **others}.items()
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
        **_by_class(known, data),
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


def _by_class(nats: np.ndarray, data: ImageSet) -> dict[str, Any]:
    """Of each class of which there are two images, if there are classes."""
    if data.test_labels is None:
        return {}
    groups = {str(name): nats[data.test_labels == k] for k, name in enumerate(data.classes)}
    return {"by_class": {k: {"log_likelihood": mean(x)} for k, x in groups.items() if len(x) > 1}}


def _beside(known: np.ndarray, other: np.ndarray) -> dict[str, Estimate]:
    return {
        "log_likelihood": mean(other),
        "share_above_the_median_test_image": mean(other > np.median(known)),
    }


def other_images(
    test: Tensor, shape: Shape, digits: Tensor | None, config: Diagnosis
) -> dict[str, Tensor]:
    """Levels of images that the model was not trained on, by kind, each (≤ images, D)."""
    known = test[: config.images]
    noise = torch.randint(
        LEVELS,
        known.shape,
        generator=generator(config.seed, "uniform", device=test.device),
        device=test.device,
        dtype=torch.uint8,
    )
    kinds = {
        "shifted": known.unflatten(-1, shape).roll(1, -1).flatten(-3),
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
