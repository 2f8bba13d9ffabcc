"""Tables of the completions: ascents, errors, means and chains."""

from nicelab.formatting import estimate
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import NONE, Table, optional


def ascents(metrics: Metrics) -> Table:
    """Where ascents from two starts end, by mask."""
    return Table(
        f"Ascents with the decaying step, {_images(metrics)}: "
        "where they start decides where they end",
        (
            "mask",
            "hidden pixels",
            "from grey: steps",
            "share converged",
            "squared error",
            "from the Gaussian’s answer: steps",
            "share converged",
            "squared error",
        ),
        [
            (label, str(metrics["masks"][name]["hidden_pixels"]), *_ascents(metrics, name))
            for name, label in _masks(metrics)
        ],
    )


def _ascents(metrics: Metrics, mask: str) -> list[str]:
    cells = []
    for start in ("grey", "gaussian"):
        ascent = metrics["ascent"][start][mask]
        end = metrics["masks"][mask]["methods"][f"ascent_from_{start}"]
        found = (ascent["steps"], ascent["share_converged"], end["squared_error"])
        cells += map(estimate, found)
    return cells


def errors(metrics: Metrics) -> Table:
    """Squared error by mask and method."""
    labels, methods = metrics["labels"]["methods"], list(metrics["mean_over_masks"])
    rows = []
    for name, label in _masks(metrics):
        found = metrics["masks"][name]["methods"]
        rows.append([label, *(estimate(found[method]["squared_error"]) for method in methods)])
    return Table(
        f"Squared error on the hidden pixels, {_images(metrics)}",
        ["mask", *(labels[method] for method in methods)],
        rows,
    )


def means(metrics: Metrics) -> Table:
    """Every score of every method, and of the original images."""
    labels, truth = metrics["labels"]["methods"], metrics["truth"]
    original = (
        "the original",
        "0",
        NONE,
        NONE,
        "1",
        estimate(truth["accuracy"]),
        estimate(truth["log_likelihood"]),
    )
    return Table(
        f"Means over images and masks, {metrics['dataset']}; errors over images",
        (
            "method",
            "squared error",
            "less the Gaussian’s",
            "PSNR (dB)",
            "SSIM",
            "recognised",
            "log p (nats)",
        ),
        [
            *(_scores(labels[name], x) for name, x in metrics["mean_over_masks"].items()),
            original,
        ],
    )


def _scores(label: str, metrics: Metrics) -> tuple[str, ...]:
    return (
        label,
        estimate(metrics["squared_error"]),
        optional(metrics.get("squared_error_less_gaussian")),
        *(estimate(metrics[name]) for name in ("psnr", "ssim", "accuracy", "log_likelihood")),
    )


def chains(metrics: Metrics) -> Table:
    """How well the posterior's chains mix, and how often they cover the truth, by mask."""
    headings = {
        "coverage_of_uncertain": "coverage where draws differ",
        "coverage": "coverage, all hidden pixels",
        "standard_deviation": "mean standard deviation",
        "share_outside_0_1": "share of pixels outside [0, 1]",
        "acceptance": "acceptance",
        "variance_between_chains": "share of the variance of log p between chains",
        "share_mixed": "share of images with R-hat below 1.1",
    }
    found = metrics["posterior"]["masks"]
    return Table(
        f"The posterior’s chains, {metrics['dataset']}",
        ["mask", *headings.values()],
        [
            [label, *(estimate(found[mask][name]) for name in headings)]
            for mask, label in _masks(metrics)
        ],
    )


def _images(metrics: Metrics) -> str:
    return f"{metrics['dataset']}, {metrics['images']} images"


def _masks(metrics: Metrics) -> list[tuple[str, str]]:
    """Name and label of each mask, in the study's order."""
    labels = metrics["labels"]["masks"]
    return [(name, labels[name]) for name in metrics["masks"]]
