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
            "brownian", "Gambler, Brownian transform", methods["brownian"]["exact_relative_error"]
        ),
    ]


def _probability(q: str, ours: Estimate, exact: float, z: float) -> Headline:
    as_printed = GAMBLER_PROBABILITY.startswith(f"{ours.value:f}")
    return Headline(
        "importance.sheet.log10_probability",
        f"{q}: probability",
        ours,
        published=GAMBLER_PROBABILITY,
        published_agrees="yes, as printed" if as_printed else "no",
        exact=number(exact, ".6e"),
        exact_agrees=agreement(z),
        logarithm=True,
    )


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
