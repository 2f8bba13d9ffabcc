"""What the likelihood hides: digit by digit, latent by latent, and on images of other kinds.

Were the model the distribution of the images, each latent of an image would be logistic, and
other images would be less likely. Neither has to hold for a flow with a good likelihood
(Nalisnick et al., 2019, "Do deep generative models know what they don't know?").
"""

from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from scipy import stats
from torch import Tensor

from nicelab.flows.nice import NICE
from nicelab.images.levels import LEVELS, SIDE, dequantise
from nicelab.likelihood.training import log_likelihoods
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

LEVEL = 0.01  # of the Kolmogorov–Smirnov tests


class Diagnosis(Section):
    """How many images of each other kind to look at."""

    images: Annotated[int, Field(ge=2, le=10_000)]
    seed: Annotated[int, Field(ge=0)]


def study(
    model: NICE, test: Tensor, labels: np.ndarray, digits: Tensor | None, config: Diagnosis
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Likelihood per digit and of other images, and the latents' marginals.

    Args:
        model: the flow.
        test: grey levels of the test images, (n, D), dtype uint8, on the model's device.
        labels: their digits, (n,).
        digits: levels of another set of digits, (m, D), None if there is none.
        config: how many other images.

    Returns:
        Arrays `test`, (n,), the log-likelihood of each test image in nats, with one noise draw;
        `other_<kind>` for other images; `distances`, (D,), of the latents' marginals from the
        logistic; `latent_quantiles`, (D, 99), their percentiles. And metrics.
    """
    kinds = {"test": test, **other_images(test, digits, config)}
    arrays, latents = {}, None
    for kind, pixels in kinds.items():
        x = dequantise(pixels, generator(config.seed, kind, device=pixels.device))
        arrays[f"other_{kind}" if kind != "test" else kind] = (
            log_likelihoods(model, x).cpu().numpy()
        )
        if kind == "test":
            latents = model(x)[0].cpu().numpy()
    distances, pvalues = logistic_distances(latents)
    median = np.median(arrays["test"])
    metrics = {
        "by_digit": {
            str(d): {"log_likelihood": mean(arrays["test"][labels == d])}
            for d in range(10)
            if (labels == d).sum() > 1
        },
        "other_images": {
            kind: {
                "log_likelihood": mean(arrays[f"other_{kind}"]),
                "share_above_the_median_test_image": mean(arrays[f"other_{kind}"] > median),
            }
            for kind in kinds
            if kind != "test"
        },
        "latents": {
            "median_distance": Estimate.exact(np.median(distances)),
            "largest_distance": Estimate.exact(distances.max()),
            "critical_distance": Estimate.exact(stats.kstwo.isf(LEVEL, len(test))),
            "share_rejected_at_1_percent": Estimate.exact((pvalues < LEVEL).mean()),
            "standard_deviation": mean(latents.std(0, ddof=1)),
        },
    }
    arrays["distances"] = distances
    arrays["latent_percentiles"] = np.percentile(latents, np.arange(1, 100), axis=0).T
    return arrays, metrics


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


def logistic_distances(latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kolmogorov–Smirnov distance of each column's distribution from the logistic; p-values.

    Args:
        latents: independent rows, shape (n, D).

    Returns:
        The largest differences between the distribution functions and p-values, both (D,).
    """
    test = stats.ks_1samp(latents, stats.logistic.cdf, axis=0, method="asymp")
    return test.statistic, test.pvalue
