"""Headlines of the rare event: its probability, exact and estimated, and relative errors."""

from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics
from nicelab.published import GAMBLER_PROBABILITY
from nicelab.report.headlines.headline import Headline, agreement
from nicelab.statistics import Estimate


def gambler(metrics: Metrics) -> list[Headline]:
    """The sheet's proposal, and the best in closed form but one."""
    methods, exact = metrics["methods"], metrics["exact"]["probability"]
    sheet = methods["sheet"]
    q, z = f"Gambler, q = {sheet['q']:g}", sheet["z_score"]
    expected = sheet["exact_relative_error"]
    return [
        Headline(
            "importance.exact.log10_probability",
            "Gambler: probability, by dynamic programming",
            exact,
            logarithm=True,
            form=".6e",
        ),
        _probability(q, sheet["probability"], exact.value, z),
        _observed(q, sheet["relative_error"], expected.value),
        _expected("sheet", q, expected),
        _expected(
            "brownian",
            "Gambler, Brownian h-transform",
            methods["brownian"]["exact_relative_error"],
        ),
    ]


def _probability(q: str, ours: Estimate, exact: float, z: float) -> Headline:
    distance = _distance(printed_range(GAMBLER_PROBABILITY), ours)
    return Headline(
        "importance.sheet.log10_probability",
        f"{q}: probability",
        ours,
        published=GAMBLER_PROBABILITY,
        published_agrees=agreement(distance),
        exact=number(exact, ".6e"),
        exact_agrees=agreement(z),
        logarithm=True,
    )


def printed_range(text: str) -> tuple[float, float]:
    """Numbers that are printed so: half a unit of the last decimal of “value ± error” about it."""
    value = text.partition(" ")[0]
    half = 0.5 * 10.0 ** -len(value.partition(".")[2])
    return float(value) - half, float(value) + half


def _distance(published: tuple[float, float], ours: Estimate) -> float:
    """Of a published range less ours, in standard errors of ours; 0 inside the range."""
    nearest = min(max(ours.value, published[0]), published[1])
    return (nearest - ours.value) / ours.standard_error


def _observed(q: str, error: Estimate, expected: float) -> Headline:
    return Headline(
        "importance.sheet.observed_relative_error_percent",
        f"{q}: relative error (%)",
        error.scaled(100),
        exact=number(100 * expected, ".3g"),
        exact_agrees=agreement(error.z_score(expected)),
    )


def _expected(name: str, label: str, error: Estimate) -> Headline:
    return Headline(
        f"importance.{name}.exact_relative_error_percent",
        f"{label}: relative error, exact (%)",
        error.scaled(100),
        form=".4g",
    )
