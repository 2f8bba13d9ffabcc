"""Tables of the completions: ascents, errors, means and chains."""

from collections.abc import Iterator, Mapping

from nicelab.formatting import estimate
from nicelab.inpainting.verdicts import accepted, contest
from nicelab.pipeline.metrics import Metrics
from nicelab.report.headlines.headline import sign
from nicelab.report.tables.table import NONE, Table, by_flow, first, optional


def told(metrics: Metrics) -> dict[str, str]:
    """What the scores amount to, in words."""
    posterior, masks = metrics["posterior"], metrics["masks"]
    labels, long = metrics["labels"]["masks"], posterior["long"]
    mixed = accepted(posterior)
    found = contest(masks, "chain_mean", "gaussian")
    less = metrics["mean_over_masks"]["chain_mean"]["squared_error_less_gaussian"]
    who = {
        -1: f"the mean of {metrics['flow']}’s chains is nearer to the truth on average over masks",
        1: "the Gaussian’s answer is nearer to the truth on average over masks",
        0: "these images do not tell which is nearer to the truth on average over masks",
    }
    if mixed:
        names = ", ".join(labels[name] for name in mixed)
        which = f"Long chains of {metrics['flow']} mix behind {names}"
        rest = "; elsewhere" if len(mixed) < len(masks) else ""
        behind = f"{which}{rest and rest + ' draws are those of chains, not of a posterior'}."
    else:
        behind = (
            f"Long chains of {metrics['flow']} mix behind no mask: what follows are draws of "
            "chains, not of a posterior."
        )
    return {
        "mixing": behind,
        "required": f"Required are R-hat below {long['r_hat']} and {long['ess']} "
        f"effective draws for {100 * long['share']:.0f} % of {long['images']} images.",
        "contest": f"With {metrics['flow']} the difference on the same images is "
        f"{estimate(less)}: {who[sign(less)]}. "
        f"By mask, the chains are nearer behind {found.nearer}, the Gaussian behind "
        f"{found.farther}, and {found.undecided} of {len(masks)} are undecided (5 % for all masks "
        "together).",
    }


def ascents(flows: Mapping[str, Metrics]) -> Table:
    """Where ascents from two starts end, by mask."""
    metrics = first(flows)
    return Table(
        f"Ascents with the decaying step, {metrics['dataset']}, {metrics['ascended']} images",
        (
            "flow",
            "mask",
            "hidden pixels",
            "from grey: steps",
            "share converged",
            "squared error",
            "from the Gaussian’s answer: steps",
            "share converged",
            "squared error",
        ),
        by_flow(flows, _ascents_by_mask),
    )


def _ascents_by_mask(metrics: Metrics) -> Iterator[tuple[str, ...]]:
    for name, label in _masks(metrics):
        hidden = estimate(metrics["masks"][name]["hidden_pixels"])
        yield label, hidden, *_ascents(metrics, name)


def _ascents(metrics: Metrics, mask: str) -> list[str]:
    cells = []
    for start in ("grey", "gaussian"):
        ascent = metrics["ascent"][start][mask]
        end = metrics["masks"][mask]["methods"][f"ascent_from_{start}"]
        found = (ascent["steps"], ascent["share_converged"], end["squared_error"])
        cells += map(estimate, found)
    return cells


def errors(flows: Mapping[str, Metrics]) -> Table:
    """Squared error by mask and method; of methods without a flow once."""
    metrics = first(flows)
    labels = metrics["labels"]
    columns = {
        label: (metrics, name)
        for name, label in labels["methods"].items()
        if name not in labels["by_flow"]
    }
    for found in flows.values():
        own = found["labels"]["by_flow"].items()
        columns |= {f"{found['flow']}: {label}": (found, name) for name, label in own}
    return Table(
        f"Squared error on hidden pixels, {_images(metrics)}; of the chains, without their noise",
        ["mask", *columns],
        [
            [label, *(_error(found, mask, name) for found, name in columns.values())]
            for mask, label in _masks(metrics)
        ],
    )


def _error(metrics: Metrics, mask: str, method: str) -> str:
    return estimate(metrics["masks"][mask]["methods"][method]["squared_error"])


def means(flows: Mapping[str, Metrics]) -> Table:
    """Every score of every method, and of the original images."""
    metrics = first(flows)
    return Table(
        f"Means over images and masks, {_images(metrics)}; errors over images. The "
        "squared error of chains is without their noise, other scores are of their mean as it is",
        (
            "flow",
            "method",
            "squared error",
            "less the Gaussian’s",
            "PSNR (dB)",
            "SSIM",
            "recognised",
            "log p (nats)",
        ),
        by_flow(flows, _methods),
    )


def _methods(metrics: Metrics) -> Iterator[tuple[str, ...]]:
    labels, truth = metrics["labels"]["methods"], metrics["truth"]
    for name, found in metrics["mean_over_masks"].items():
        yield _scores(labels[name], found)
    scores = optional(truth.get("accuracy")), estimate(truth["log_likelihood"])
    yield "the original", "0", NONE, NONE, "1", *scores


def _scores(label: str, metrics: Metrics) -> tuple[str, ...]:
    return (
        label,
        estimate(metrics["squared_error"]),
        optional(metrics.get("squared_error_less_gaussian")),
        *(estimate(metrics[name]) for name in ("psnr", "ssim")),
        optional(metrics.get("accuracy")),
        estimate(metrics["log_likelihood"]),
    )


def chains(flows: Mapping[str, Metrics]) -> Table:
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
    metrics = first(flows)
    long = metrics["posterior"]["long"]

    def rows(metrics: Metrics) -> Iterator[tuple[str, ...]]:
        found = metrics["posterior"]["masks"]
        for mask, label in _masks(metrics):
            yield label, *(estimate(found[mask][name]) for name in headings)

    return Table(
        f"The chains, {_images(metrics)}; long ones of {long['images']}. An image mixes with "
        f"R-hat below {long['r_hat']} and {long['ess']} effective draws of log p, sums of grey",
        ["flow", "mask", *headings.values()],
        by_flow(flows, rows),
    )


def _images(metrics: Metrics) -> str:
    return f"{metrics['dataset']}, {metrics['images']} images (ascents: {metrics['ascended']})"


def _masks(metrics: Metrics) -> list[tuple[str, str]]:
    """Name and label of each mask, in the study's order."""
    labels = metrics["labels"]["masks"]
    return [(name, labels[name]) for name in metrics["masks"]]
