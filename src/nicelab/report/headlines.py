"""The results in one table: what was published, what we find, what the exact answer is."""

from collections.abc import Mapping
from typing import NamedTuple

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.published import GAMBLER_PROBABILITY, NICE_LOG_LIKELIHOOD, SGD_ENDS
from nicelab.report.tables.table import NONE, Table
from nicelab.statistics import Estimate


class Row(NamedTuple):
    """One line of the table, as text."""

    quantity: str
    published: str
    ours: str
    exact: str
    published_agrees: str
    exact_agrees: str


HEADINGS = Row("quantity", "published", "ours", "exact", "published agrees", "exact agrees")
CAPTION = (
    "Published, ours, and the exact answer where there is one. In brackets the distance: "
    "published less ours, in standard errors (for the sheet’s one run of SGD, in standard "
    "deviations of such runs; for the gambler’s probability, from the range that is printed so, "
    "in standard errors of ours); ours less exact, in standard errors"
)
AGREES = 3.0  # standard errors
ROUNDING = 1e-9  # nats, in float64


def rows(metrics: Mapping[str, Metrics]) -> list[Row]:
    """The results from the metrics of all studies, keyed by file name."""
    return [
        *_likelihood(metrics["likelihood"]),
        *_inpainting(metrics["inpainting"]),
        *_importance(metrics["importance"]),
        *_gradients(metrics["gradients"]),
        _convolution(metrics["convolution"]),
    ]


def table(metrics: Mapping[str, Metrics]) -> Table:
    """The results for the report."""
    return Table(CAPTION, HEADINGS, rows(metrics))


def markdown(table: list[Row]) -> str:
    """The results for a README."""
    lines = [HEADINGS, Row(*["---"] * len(HEADINGS)), *table]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def largest_claims_error(metrics: Metrics) -> float:
    """Largest |formula − autograd| over all claims on 1×1 convolutions, in nats."""
    claims = metrics["labels"]["claims"]
    return max(metrics[claim]["largest_absolute_error"].value for claim in claims)


def _agreement(z: float) -> str:
    return f"{'yes' if abs(z) < AGREES else 'no'} ({number(z, '+.1f')})"


def _plain(quantity: str, ours: Estimate) -> Row:
    """A number that nothing is compared to."""
    return Row(quantity, NONE, estimate(ours), NONE, NONE, NONE)


def _likelihood(metrics: Metrics) -> list[Row]:
    quantity = f"NICE, {metrics['dataset']} test images: "
    ours, bits = (metrics["test"][name] for name in ("log_likelihood", "bits_per_dim"))
    row = _plain(f"{quantity}log-likelihood (nats)", ours)
    if metrics["dataset"] == "MNIST":
        row = row._replace(
            published=f"{NICE_LOG_LIKELIHOOD:.2f}",
            published_agrees=_agreement(-ours.z_score(NICE_LOG_LIKELIHOOD)),
        )
    return [row, _plain(f"{quantity}bits per dimension", bits)]


def _inpainting(metrics: Metrics) -> list[Row]:
    names = {"as_printed": "as printed", "gradient_zeroed": "gradient zeroed"}
    over_masks = {
        "gaussian": "a Gaussian's conditional mean",
        "ascent_from_gaussian": "NICE's ascent from there",
        "posterior_mean": "NICE's posterior mean",
    }
    box, masks = "Inpainting, sheet's box", f"Inpainting, {len(metrics['masks'])} masks"
    return [
        _plain(
            f"{box}, {label}: squared error on hidden pixels",
            metrics["methods"][name]["squared_error"],
        )
        for name, label in names.items()
    ] + [
        _plain(
            f"{masks}, {label}: squared error", metrics["mean_over_masks"][name]["squared_error"]
        )
        for name, label in over_masks.items()
    ]


def _importance(metrics: Metrics) -> list[Row]:
    sheet, exact = metrics["methods"]["sheet"], metrics["exact"]["probability"].value
    probability, z = sheet["probability"], sheet["z_score"]
    error = sheet["relative_error"].scaled(100)
    expected = 100 * sheet["exact_relative_error"].value
    return [
        Row(
            quantity=f"Gambler, q = {sheet['q']:g}: probability",
            published=GAMBLER_PROBABILITY,
            ours=estimate(probability),
            exact=number(exact, ".6e"),
            published_agrees=_agreement(
                _distance(printed_range(GAMBLER_PROBABILITY), probability)
            ),
            exact_agrees=_agreement(z),
        ),
        _plain("Gambler: relative error (%)", error)._replace(
            exact=number(expected, ".3g"), exact_agrees=_agreement(error.z_score(expected))
        ),
    ]


def printed_range(text: str) -> tuple[float, float]:
    """Numbers that are printed so: half a unit of the last decimal of “value ± error” about it."""
    value = text.partition(" ")[0]
    half = 0.5 * 10.0 ** -len(value.partition(".")[2])
    return float(value) - half, float(value) + half


def _distance(published: tuple[float, float], ours: Estimate) -> float:
    """Of a published range less ours, in standard errors of ours; 0 inside the range."""
    nearest = min(max(ours.value, published[0]), published[1])
    return (nearest - ours.value) / ours.standard_error


def _gradients(metrics: Metrics) -> list[Row]:
    names = {"score": "score function", "pathwise": "pathwise"}
    return [
        row
        for name, label in names.items()
        for variant, quantity in ((f"{name}_as_printed", f"{label}, as printed"), (name, label))
        for row in _descent(f"SGD, {quantity}", SGD_ENDS[name], metrics["sgd"][variant])
    ]


def _descent(quantity: str, published: tuple[float, float], run: Metrics) -> list[Row]:
    """Where the runs of one estimator end, μ and σ."""
    found = []
    for parameter, symbol, printed in zip(("mu", "sigma"), "μσ", published, strict=True):
        ours, expected = run[parameter], run["exact"][parameter].value
        found.append(
            Row(
                quantity=f"{quantity}: {symbol} after the last step",
                published=f"{printed:.5f}",
                ours=estimate(ours),
                exact=number(expected, ".6f"),
                published_agrees=_agreement(run["printed"][parameter]["z_score"]),
                exact_agrees=_agreement(ours.z_score(expected)),
            )
        )
    return found


def _convolution(metrics: Metrics) -> Row:
    worst = largest_claims_error(metrics)
    return Row(
        quantity="1×1 convolution, four claims: largest error (nats)",
        published=NONE,
        ours=number(worst, ".1e"),
        exact="0",
        published_agrees=NONE,
        exact_agrees="to rounding" if worst < ROUNDING else "no",
    )
