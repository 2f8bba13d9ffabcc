"""Tables of what the flows learned: likelihoods, other images and samples."""

from collections.abc import Iterator, Mapping

from nicelab.formatting import estimate, number
from nicelab.likelihood.records import PARTS
from nicelab.pipeline.metrics import Metrics
from nicelab.report.headlines.headline import sign
from nicelab.report.tables.table import NONE, Table, by_flow, first


def likelihoods(flows: Mapping[str, Metrics]) -> Table:
    """Likelihood of each part of the data, with its two errors."""
    metrics = first(flows)
    draws = metrics["test"]["log_likelihood_over_draws"].n
    return Table(
        f"Log-likelihood of {metrics['dataset']} in nats per image, each image dequantised "
        f"{draws} times; the model at hand, the mean over trainings of its recipe, and a Gaussian",
        (
            "flow",
            "images",
            "number",
            "± over images",
            "± over noise draws",
            "bits per dimension",
            "± over trainings",
            "Gaussian, ± over images",
        ),
        by_flow(flows, lambda metrics: [_likelihood(part, metrics) for part in PARTS]),
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
        "gaps": f"Under {metrics['flow']} training less validation images is {estimate(learned)} "
        f"nats ({over}; ± {images:.1f} over images). Test images it has not seen either: they are "
        f"{side}{each}, test less validation is {estimate(easier)}.",
        "gaussian": f"{abs(above):.0f} {'fewer' if above > 0 else 'more'} than {metrics['flow']}",
    }


def other_images(flows: Mapping[str, Metrics]) -> Table:
    """Likelihood by class, and of images of other kinds."""
    return Table(
        f"Log-likelihood in nats of {first(flows)['dataset']} test images by class, "
        "and of images of other kinds",
        (
            "flow",
            "images",
            "number",
            "log-likelihood",
            "share likelier than the median test image",
        ),
        by_flow(flows, _kinds),
    )


def _kinds(metrics: Metrics) -> Iterator[tuple[str, ...]]:
    labels = metrics["labels"]["images"]
    for name, found in metrics.get("by_class", {}).items():
        yield *_images(f"class {name}", found), NONE
    for kind, found in metrics["other_images"].items():
        share = estimate(found["share_above_the_median_test_image"])
        yield *_images(labels[kind], found), share


def _images(name: str, metrics: Metrics) -> tuple[str, str, str]:
    return name, str(metrics["log_likelihood"].n), estimate(metrics["log_likelihood"])


def samples(flows: Mapping[str, Metrics]) -> Table:
    """How near to the training images samples come, and test images."""
    metrics = first(flows)
    test = (NONE, "test images", estimate(metrics["test"]["distance_to_training"]), "0.01", "0")
    return Table(
        f"Do samples repeat training images of {metrics['dataset']}?",
        (
            "flow",
            "images",
            "distance to the nearest training image",
            "share closer than the closest 1 % of test images",
            "share of pixels outside [0, 1]",
        ),
        [*by_flow(flows, _at_temperatures), test],
    )


def _at_temperatures(metrics: Metrics) -> list[tuple[str, ...]]:
    return [_samples(t, found) for t, found in metrics["temperatures"].items()]


def _samples(temperature: str, metrics: Metrics) -> tuple[str, ...]:
    return (
        f"samples at temperature {temperature}",
        estimate(metrics["distance_to_training"]),
        estimate(metrics["share_closer_than_the_closest_1_percent_of_test_images"]),
        estimate(metrics["share_of_pixels_outside_0_1"]),
    )


def scales(flows: Mapping[str, Metrics]) -> Table | None:
    """Scales of the latent dimensions of flows with a layer that scales them, if there are any."""
    scaled = {family: metrics for family, metrics in flows.items() if "sigma" in metrics}
    if not scaled:
        return None
    names = ("largest", "median", "smallest")
    return Table(
        f"Scales of the latent dimensions, {first(flows)['dataset']}",
        ("flow", "", "σ (grey range)"),
        by_flow(scaled, lambda x: [(k, number(x["sigma"][k].value, ".3e")) for k in names]),
    )
