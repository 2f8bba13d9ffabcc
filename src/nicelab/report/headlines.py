"""The results in one table: what was published, what we find, what the exact answer is."""

from typing import NamedTuple

from nicelab.formatting import Metrics, estimate, number
from nicelab.published import GAMBLER_PROBABILITY, NICE_LOG_LIKELIHOOD, SGD_ENDS


class Row(NamedTuple):
    """One line of the table, as text."""

    quantity: str
    published: str
    ours: str
    exact: str
    published_agrees: str
    exact_agrees: str


HEADINGS = Row("quantity", "published", "ours", "exact", "published agrees", "exact agrees")
AGREES = 3.0  # standard errors
ROUNDING = 1e-9  # nats, in float64


def rows(metrics: dict[str, Metrics]) -> list[Row]:
    """The table of results from the metrics of all studies, keyed by file name."""
    return [
        *_likelihood(metrics["likelihood"]),
        *_inpainting(metrics["inpainting"]),
        *_importance(metrics["importance"]),
        *_gradients(metrics["gradients"]),
        *_convolution(metrics["convolution"]),
    ]


def _as_printed(probability: float) -> bool:
    return GAMBLER_PROBABILITY.startswith(f"{probability:f}")


def _agreement(z: float) -> str:
    return f"{'yes' if abs(z) < AGREES else 'no'} ({number(z, '+.1f')})"


def _likelihood(metrics: Metrics) -> list[Row]:
    data, test = metrics["dataset"], metrics["test"]
    known, ours = data == "MNIST", test["log_likelihood"]
    z = (ours["value"] - NICE_LOG_LIKELIHOOD) / ours["standard_error"]
    return [
        Row(f"NICE, {data} test images: log-likelihood (nats)",
            f"{NICE_LOG_LIKELIHOOD:.2f}" if known else "–", estimate(ours), "–",
            _agreement(-z) if known else "–", "–"),
        Row(f"NICE, {data} test images: bits per dimension", "–",
            estimate(test["bits_per_dim"]), "–", "–", "–"),
    ]  # fmt: skip


def _inpainting(metrics: Metrics) -> list[Row]:
    names = {"as_printed": "as printed", "gradient_zeroed": "gradient zeroed"}
    over_masks = {
        "gaussian": "a Gaussian's conditional mean",
        "ascent_from_gaussian": "NICE's ascent from there",
        "posterior_mean": "NICE's posterior mean",
    }
    return [
        Row(f"Inpainting, sheet's box, {label}: squared error on hidden pixels", "–",
            estimate(metrics["methods"][name]["squared_error"]), "–", "–", "–")
        for name, label in names.items()
    ] + [
        Row(f"Inpainting, {len(metrics['masks'])} masks, {label}: squared error", "–",
            estimate(metrics["mean_over_masks"][name]["squared_error"]), "–", "–", "–")
        for name, label in over_masks.items()
    ]  # fmt: skip


def _importance(metrics: Metrics) -> list[Row]:
    sheet, exact = metrics["methods"]["sheet"], metrics["exact"]
    percent = {key: 100 * value for key, value in sheet["relative_error"].items()}
    expected = 100 * sheet["exact_relative_error"]["value"]
    z = (percent["value"] - expected) / percent["standard_error"]
    return [
        Row(f"Gambler, q = {sheet['q']:g}: probability", GAMBLER_PROBABILITY,
            estimate(sheet["probability"]), number(exact["probability"]["value"], ".6e"),
            "yes, as printed" if _as_printed(sheet["probability"]["value"]) else "no",
            _agreement(sheet["z_score"])),
        Row("Gambler: relative error (%)", "–", estimate(percent),
            number(expected, ".3g"), "–", _agreement(z)),
    ]  # fmt: skip


def _gradients(metrics: Metrics) -> list[Row]:
    names = {"score": "score function", "pathwise": "pathwise"}
    table = []
    for name, label in names.items():
        for variant, suffix in ((f"{name}_as_printed", ", as printed"), (name, "")):
            run = metrics["sgd"][variant]
            for k, (parameter, symbol) in enumerate((("mu", "μ"), ("sigma", "σ"))):
                ours, expected = run[parameter], run["exact"][parameter]["value"]
                z = (ours["value"] - expected) / ours["standard_error"]
                table.append(
                    Row(f"SGD, {label}{suffix}: {symbol} after the last step",
                        f"{SGD_ENDS[name][k]:.5f}", estimate(ours), number(expected, ".6f"),
                        _agreement(run["printed"][parameter]["z_score"]), _agreement(z))
                )  # fmt: skip
    return table


def _convolution(metrics: Metrics) -> list[Row]:
    worst = max(claim["largest_absolute_error"]["value"] for claim in metrics.values())
    agrees = "to rounding" if worst < ROUNDING else "no"
    return [Row("1×1 convolution, four claims: largest error (nats)", "–",
                number(worst, ".1e"), "0", "–", agrees)]  # fmt: skip


def markdown(table: list[Row]) -> str:
    """The table for a README."""
    lines = [HEADINGS, Row(*["---"] * len(HEADINGS)), *table]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
