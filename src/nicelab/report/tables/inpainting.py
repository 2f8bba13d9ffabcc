"""Tables of the completions: ascents, errors, means and chains."""

from nicelab.formatting import estimate
from nicelab.inpainting.verdicts import accepted, contest
from nicelab.pipeline.metrics import Metrics
from nicelab.report.headlines.headline import sign
from nicelab.report.tables.table import NONE, Table, optional


def told(metrics: Metrics) -> dict[str, str]:
    """What the scores amount to, in words."""
    posterior, masks = metrics["posterior"], metrics["masks"]
    labels, long = metrics["labels"]["masks"], posterior["long"]
    mixed = accepted(posterior)
    found = contest(masks, "chain_mean", "gaussian")
    less = metrics["mean_over_masks"]["chain_mean"]["squared_error_less_gaussian"]
    who = {
        -1: "the mean of NICE’s chains is nearer to the truth on average over masks",
        1: "the Gaussian’s answer is nearer to the truth on average over masks",
        0: "these images do not tell which is nearer to the truth on average over masks",
    }
    if mixed:
        which = f"Long chains mix behind {', '.join(labels[name] for name in mixed)}"
        rest = "; elsewhere" if len(mixed) < len(masks) else ""
        behind = f"{which}{rest and rest + ' draws are those of chains, not of a posterior'}."
    else:
        behind = (
            "Long chains mix behind no mask: what follows are draws of chains, not of a posterior."
        )
    return {
        "mixing": f"{behind} (Required are R-hat below {long['r_hat']} and {long['ess']} "
        f"effective draws for {100 * long['share']:.0f} % of {long['images']} images.)",
        "contest": f"On the same images the difference is {estimate(less)}: {who[sign(less)]}. "
        f"By mask, the chains are nearer behind {found.nearer}, the Gaussian behind "
        f"{found.farther}, and {found.undecided} of {len(masks)} are undecided (5 % for all masks "
        "together).",
    }


def ascents(metrics: Metrics) -> Table:
    """Where ascents from two starts end, by mask."""
    return Table(
        f"Ascents with the decaying step, {metrics['dataset']}, {metrics['ascended']} images",
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
            (label, estimate(metrics["masks"][name]["hidden_pixels"]), *_ascents(metrics, name))
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
        f"Squared error on hidden pixels, {_images(metrics)}; of the chains, without their noise",
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
        f"Means over images and masks, {_images(metrics)}; errors over images. The "
        "squared error of chains is without their noise, other scores are of their mean as it is",
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
    """How well chains mix, how far they are apart, and how often they cover the truth, by mask."""
    headings = {
        "coverage_of_uncertain": "coverage where draws differ",
        "coverage": "coverage, all hidden pixels",
        "disagreement": "variance between chains’ means",
        "standard_deviation": "mean standard deviation",
        "share_outside_0_1": "share of pixels outside [0, 1]",
        "acceptance": "acceptance",
        "median_r_hat": "long chains: median R-hat",
        "median_ess": "median effective draws",
        "share_mixed": "share of images that mix",
    }
    found, long = metrics["posterior"]["masks"], metrics["posterior"]["long"]
    return Table(
        f"The chains, {_images(metrics)}; long ones of {long['images']}. An image mixes with "
        f"R-hat below {long['r_hat']} and {long['ess']} effective draws of log p, sums of grey",
        ["mask", *headings.values()],
        [
            [label, *(estimate(found[mask][name]) for name in headings)]
            for mask, label in _masks(metrics)
        ],
    )


def _images(metrics: Metrics) -> str:
    return f"{metrics['dataset']}, {metrics['images']} images (ascents: {metrics['ascended']})"


def _masks(metrics: Metrics) -> list[tuple[str, str]]:
    """Name and label of each mask, in the study's order."""
    labels = metrics["labels"]["masks"]
    return [(name, labels[name]) for name in metrics["masks"]]
