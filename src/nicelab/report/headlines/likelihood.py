"""Headlines of the flow: its likelihood, its training, its latents."""

from nicelab.pipeline.metrics import Metrics
from nicelab.published import NICE_LOG_LIKELIHOOD
from nicelab.report.headlines.headline import Headline, agreement, at_least
from nicelab.statistics import Estimate


def likelihoods(metrics: Metrics) -> list[Headline]:
    """Of one trained model: errors are over images."""
    nice, test = f"NICE, {metrics['dataset']}", metrics["test"]
    ours, published = test["log_likelihood"], {}
    if metrics["dataset"] == "MNIST":
        published = {
            "published": f"{NICE_LOG_LIKELIHOOD:.2f}",
            "published_agrees": agreement(-ours.z_score(NICE_LOG_LIKELIHOOD)),
        }
    return [
        Headline(
            "likelihood.nice.test_log_likelihood",
            f"{nice} test images: log-likelihood (nats)",
            ours,
            **published,
        ),
        Headline(
            "likelihood.nice.test_bits_per_dim",
            f"{nice} test images: bits per dimension",
            test["bits_per_dim"],
        ),
        Headline(
            "likelihood.nice.validation_log_likelihood",
            f"{nice} validation images: log-likelihood (nats)",
            metrics["validation"]["log_likelihood"],
        ),
    ]


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
