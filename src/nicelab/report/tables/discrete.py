"""Table of gradient estimators where variables are discrete, and what the text says."""

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import NONE, Table


def bits(metrics: Metrics) -> Table:
    """Every estimator on every problem."""
    labels = metrics["labels"]
    return Table(
        "Evaluations of f for an error as large as the gradient; the mean along the exact "
        "gradient, 1 without a bias; and the component whose mean is farthest off, in standard "
        "errors",
        (
            "problem",
            "estimator",
            "evaluations",
            "exact",
            "mean along it",
            "farthest off",
            "biased",
        ),
        [
            (labels["problems"][problem], labels["estimators"][name], *_row(found))
            for problem, of_problem in metrics["problems"].items()
            for name, found in of_problem.items()
        ],
    )


def _row(found: Metrics) -> tuple[str, ...]:
    exact = found.get("exact_work")
    return (
        estimate(found["work"]),
        NONE if exact is None else number(exact.value, ".5g"),
        estimate(found["along"]),
        number(found["largest_z_score"], "+.1f"),
        "yes" if found["convicted"] else "not shown",
    )


def told(metrics: Metrics) -> str:
    """Which estimators a test convicts of a bias, and on which problems."""
    labels = metrics["labels"]
    where: dict[str, list[str]] = {}
    for problem, of_problem in metrics["problems"].items():
        for name, found in of_problem.items():
            if found["convicted"]:
                where.setdefault(name, []).append(labels["problems"][problem])
    if not where:
        return "A test of all components convicts none of a bias."
    said = [
        f"{labels['estimators'][name]} "
        + ("everywhere" if len(on) == len(labels["problems"]) else f"on {', '.join(on)}")
        for name, on in where.items()
    ]
    return f"A test of all components convicts of a bias: {'; '.join(said)}."
