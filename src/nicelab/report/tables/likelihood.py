"""Tables of what the flow learned: likelihoods, other images and samples."""

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.report.headlines.headline import sign
from nicelab.report.tables.table import NONE, Table

PARTS = ("training", "validation", "test")


def likelihoods(metrics: Metrics) -> Table:
    """Likelihood of each part of the data, with its two errors."""
    draws = metrics["test"]["log_likelihood_over_draws"].n
    return Table(
        f"Log-likelihood of {metrics['dataset']} in nats per image, each image dequantised "
        f"{draws} times; the model at hand, the mean over trainings of its recipe, and a Gaussian",
        (
            "images",
            "number",
            "± over images",
            "± over noise draws",
            "bits per dimension",
            "± over trainings",
            "Gaussian, ± over images",
        ),
        [_likelihood(part, metrics) for part in PARTS],
    )


def _likelihood(part: str, metrics: Metrics) -> tuple[str, ...]:
    found, seeds = metrics[part], metrics.get("over_seeds")
    return (
        part,
        str(found["log_likelihood"].n),
        estimate(found["log_likelihood"]),
        estimate(found["log_likelihood_over_draws"]),
        estimate(found["bits_per_dim"]),
        estimate(seeds[part]["log_likelihood"]) if seeds else NONE,
        estimate(metrics["gaussian"][part]["log_likelihood"]),
    )


def told(metrics: Metrics) -> dict[str, str]:
    """What the likelihoods amount to, in words."""
    seeds = metrics.get("over_seeds")
    found = seeds or metrics
    learned, easier = (found[f"{part}_less_validation"] for part in ("training", "test"))
    over = f"over {len(seeds['seeds'])} trainings" if seeds else "of one training"
    images = metrics["training_less_validation"].standard_error
    side = {1: "easier", -1: "harder", 0: "neither easier nor harder"}[sign(easier)]
    each = " in every training" if side == "easier" and seeds else ""
    if each and seeds["least_test_less_validation"] <= 0:
        each = ""
    above = metrics["test"]["log_likelihood"].value
    above -= metrics["gaussian"]["test"]["log_likelihood"].value
    return {
        "gaps": f"Training less validation images is {estimate(learned)} nats ({over}; "
        f"± {images:.1f} over images): what the model has learned of its training images alone, "
        "and a difference between the two sets. That sets differ is seen in test images, which it "
        f"has not seen either: they are {side}{each}, test less validation is {estimate(easier)}.",
        "gaussian": f"The Gaussian with the mean and covariance of the training images has "
        f"{estimate(metrics['gaussian']['test']['log_likelihood'])} nats on test images, "
        f"{abs(above):.0f} {'fewer' if above > 0 else 'more'} than NICE.",
    }


def other_images(metrics: Metrics) -> Table:
    """Likelihood by digit, and of images that are none."""
    labels = metrics["labels"]["images"]
    digits = [
        (*_images(f"digit {digit}", found), NONE) for digit, found in metrics["by_digit"].items()
    ]
    others = [
        (*_images(labels[kind], found), estimate(found["share_above_the_median_test_image"]))
        for kind, found in metrics["other_images"].items()
    ]
    return Table(
        f"Log-likelihood in nats of {metrics['dataset']} test images by digit, "
        "and of images of other kinds",
        ("images", "number", "log-likelihood", "share likelier than the median test image"),
        [*digits, *others],
    )


def _images(name: str, metrics: Metrics) -> tuple[str, str, str]:
    return name, str(metrics["log_likelihood"].n), estimate(metrics["log_likelihood"])


def samples(metrics: Metrics) -> Table:
    """How near to the training images samples come, and test images."""
    test = ("test images", estimate(metrics["test"]["distance_to_training"]), "0.01", "0")
    return Table(
        f"Do samples repeat training images of {metrics['dataset']}?",
        (
            "images",
            "distance to the nearest training image",
            "share closer than the closest 1 % of test images",
            "share of pixels outside [0, 1]",
        ),
        [*(_samples(t, found) for t, found in metrics["temperatures"].items()), test],
    )


def _samples(temperature: str, metrics: Metrics) -> tuple[str, ...]:
    return (
        f"samples at temperature {temperature}",
        estimate(metrics["distance_to_training"]),
        estimate(metrics["share_closer_than_the_closest_1_percent_of_test_images"]),
        estimate(metrics["share_of_pixels_outside_0_1"]),
    )


def scales(metrics: Metrics) -> Table | None:
    """Scales of the latent dimensions, if the flow has a layer that scales them."""
    if "sigma" not in metrics:
        return None
    return Table(
        f"Scales of the latent dimensions, {metrics['dataset']}",
        ("", "σ (grey range)"),
        [
            (name, number(metrics["sigma"][name].value, ".3e"))
            for name in ("largest", "median", "smallest")
        ],
    )
