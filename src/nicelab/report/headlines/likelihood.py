"""Headlines of the flows: their likelihood, and the training and latents of the first."""

import math
from collections.abc import Mapping

from nicelab.images.levels import bits_per_dim
from nicelab.pipeline.metrics import Metrics
from nicelab.published import NICE_LOG_LIKELIHOOD
from nicelab.report.headlines.headline import Headline, agreement, at_least
from nicelab.report.tables.table import first
from nicelab.statistics import Estimate


def likelihoods(flows: Mapping[str, Metrics]) -> list[Headline]:
    """Means over trainings of the recipe where there are some, else of one model over images."""
    family, *others = flows
    metrics = flows[family]
    name = f"{metrics['flow']}, {metrics['dataset']}"
    test = _test(family, metrics)
    validation, how = measured(metrics, "validation")
    return [
        test,
        Headline(
            f"likelihood.{family}.test_bits_per_dim",
            f"{name} test images: bits per dim",
            _bits(test.ours, metrics["dimensions"]),
        ),
        Headline(
            f"likelihood.{family}.validation_log_likelihood",
            f"{name} validation images: log-likelihood (nats), {how}",
            validation,
        ),
        *(_test(other, flows[other]) for other in others),
        Headline(
            "likelihood.gaussian.test_log_likelihood",
            f"A Gaussian, {metrics['dataset']} test images: log-likelihood (nats), over images",
            metrics["gaussian"]["test"]["log_likelihood"],
        ),
    ]


def _test(family: str, metrics: Metrics) -> Headline:
    test, how = measured(metrics, "test")
    return Headline(
        f"likelihood.{family}.test_log_likelihood",
        f"{metrics['flow']}, {metrics['dataset']} test images: log-likelihood (nats), {how}",
        test,
        **_published(metrics),
    )


def _bits(nats: Estimate, dimensions: int) -> Estimate:
    error = nats.standard_error / (dimensions * math.log(2))
    return Estimate(bits_per_dim(nats.value, dimensions), error, nats.n)


def is_published(metrics: Metrics) -> bool:
    """Whether the flow is the one, and the images are those, of the paper's likelihood."""
    return metrics["dataset"] == "MNIST" and metrics["flow"] == "NICE"


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
    if not is_published(metrics):
        return {}
    published = {"published": f"{NICE_LOG_LIKELIHOOD:.2f}"}
    if seeds := metrics.get("over_seeds"):
        ours = seeds["test"]["log_likelihood"]
        distance = (NICE_LOG_LIKELIHOOD - ours.value) / of_one(ours)
        return {**published, "published_agrees": agreement(distance)}
    return {**published, "published_agrees": "unknown: one training"}


def training(flows: Mapping[str, Metrics]) -> list[Headline]:
    """Which epoch's weights were kept."""
    metrics = first(flows)
    return [
        Headline(
            "training.best_epoch",
            f"Training of {metrics['flow']}: best of {metrics['epochs']} epochs",
            Estimate.exact(metrics["best_epoch"]),
        )
    ]


def latents(diagnostics: Mapping[str, Metrics], samples: Mapping[str, Metrics]) -> list[Headline]:
    """How far they are from the prior, and whether they give the image back."""
    found = first(diagnostics)
    return [
        Headline(
            "diagnostics.latents.median_distance",
            f"{found['flow']}, latents of test images: median Kolmogorov–Smirnov distance from "
            f"the {found['labels']['prior']}",
            found["latents"]["median_distance"],
            form=".3f",
        ),
        Headline(
            "samples.log10_round_trip_error",
            f"{found['flow']}, from images to latents and back: largest error",
            at_least(first(samples)["round_trip_error"].value),
            logarithm=True,
            form=".1e",
        ),
    ]
