"""Headlines of the flow: its likelihood, its training, its latents."""

import math

from nicelab.images.levels import PIXELS, bits_per_dim
from nicelab.pipeline.metrics import Metrics
from nicelab.published import NICE_LOG_LIKELIHOOD
from nicelab.report.headlines.headline import Headline, agreement, at_least
from nicelab.statistics import Estimate


def likelihoods(metrics: Metrics) -> list[Headline]:
    """Means over trainings of the recipe where there are some, else of one model over images."""
    nice = f"NICE, {metrics['dataset']}"
    test, how = measured(metrics, "test")
    validation, _ = measured(metrics, "validation")
    bits = Estimate(
        bits_per_dim(test.value, PIXELS), test.standard_error / (PIXELS * math.log(2)), test.n
    )
    return [
        Headline(
            "likelihood.nice.test_log_likelihood",
            f"{nice} test images: log-likelihood (nats), {how}",
            test,
            **_published(metrics),
        ),
        Headline("likelihood.nice.test_bits_per_dim", f"{nice} test images: bits per dim", bits),
        Headline(
            "likelihood.nice.validation_log_likelihood",
            f"{nice} validation images: log-likelihood (nats), {how}",
            validation,
        ),
        Headline(
            "likelihood.gaussian.test_log_likelihood",
            f"A Gaussian, {metrics['dataset']} test images: log-likelihood (nats), over images",
            metrics["gaussian"]["test"]["log_likelihood"],
        ),
    ]


def measured(metrics: Metrics, part: str) -> tuple[Estimate, str]:
    """The likelihood of a part, and over what its error is."""
    if seeds := metrics.get("over_seeds"):
        return seeds[part]["log_likelihood"], f"over {len(seeds['seeds'])} trainings"
    return metrics[part]["log_likelihood"], "one training, error over images"


def of_one(ours: Estimate) -> float:
    """Standard error of a mean over trainings less another single training of the same kind."""
    return ours.standard_error * math.sqrt(ours.n + 1)


def _published(metrics: Metrics) -> dict[str, str]:
    """Whether a training by our recipe could give what the paper's gave.

    Both are of the same test images, so the error over trainings decides: that of our mean, and
    that of a single training, which the published number is.
    """
    if metrics["dataset"] != "MNIST":
        return {}
    published = {"published": f"{NICE_LOG_LIKELIHOOD:.2f}"}
    if seeds := metrics.get("over_seeds"):
        ours = seeds["test"]["log_likelihood"]
        distance = (NICE_LOG_LIKELIHOOD - ours.value) / of_one(ours)
        return {**published, "published_agrees": agreement(distance)}
    return {**published, "published_agrees": "unknown: one training"}


def training(metrics: Metrics) -> list[Headline]:
    """Which epoch's weights were kept."""
    return [
        Headline(
            "training.best_epoch",
            f"Training of NICE: best of {metrics['epochs']} epochs",
            Estimate.exact(metrics["best_epoch"]),
        )
    ]


def latents(diagnostics: Metrics, samples: Metrics) -> list[Headline]:
    """How far they are from the prior, and whether they give the image back."""
    return [
        Headline(
            "diagnostics.latents.median_distance",
            "Latents of test images: median Kolmogorov–Smirnov distance from the logistic",
            diagnostics["latents"]["median_distance"],
            form=".3f",
        ),
        Headline(
            "samples.log10_round_trip_error",
            "From images to latents and back: largest error",
            at_least(samples["round_trip_error"].value),
            logarithm=True,
            form=".1e",
        ),
    ]
