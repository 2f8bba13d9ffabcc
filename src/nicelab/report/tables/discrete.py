"""Tables of gradient estimators where variables are discrete, and what the text says."""

from collections.abc import Iterator

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import NONE, Table


def bits(metrics: Metrics) -> Table:
    """The cost of every estimator on every problem."""
    return Table(
        "Evaluations of f that a sample takes; its variance, summed over all components; and both "
        "as evaluations for an error as large as the gradient, measured and exact",
        ("problem", "estimator", "a sample takes", "variance", "evaluations", "exact"),
        [
            (
                *named,
                str(found["evaluations"]),
                estimate(found["variance"]),
                estimate(found["work"]),
                _exact(found, "exact_work", ".5g"),
            )
            for *named, found in _entries(metrics)
        ],
    )


def biases(metrics: Metrics) -> Table:
    """The mean of every estimator on every problem, and the test of it."""
    return Table(
        "The mean along the exact gradient, 1 without a bias, measured and, of what is biased, "
        "exact; the exact distance of the mean from the gradient, in lengths of it; and the "
        "component whose mean is farthest off, in standard errors",
        ("problem", "estimator", "along", "exact", "distance", "farthest off", "biased"),
        [
            (
                *named,
                estimate(found["along"]),
                _exact(found, "exact_along", ".4f"),
                _exact(found, "exact_bias", ".4f"),
                number(found["largest_z_score"], "+.1f") if "largest_z_score" in found else NONE,
                "yes" if found["convicted"] else "not shown",
            )
            for *named, found in _entries(metrics)
        ],
    )


def _entries(metrics: Metrics) -> Iterator[tuple[str, str, Metrics]]:
    """The labels of each problem and estimator, and what was found."""
    labels = metrics["labels"]
    for problem, of_problem in metrics["problems"].items():
        for name, found in of_problem.items():
            yield labels["problems"][problem], labels["estimators"][name], found


def _exact(found: Metrics, name: str, form: str) -> str:
    return number(found[name].value, form) if name in found else NONE


def told(metrics: Metrics) -> str:
    """What takes the least, and which estimators a test convicts of a bias, on which problems."""
    cheapest: dict[str, tuple[float, str]] = {}
    convicted: dict[str, list[str]] = {}
    for problem, estimator, found in _entries(metrics):
        if found["convicted"]:
            convicted.setdefault(estimator, []).append(problem)
        else:
            entry = found["work"].value, estimator
            cheapest[problem] = min(cheapest.get(problem, entry), entry)
    best: dict[str, list[str]] = {}
    for problem, (_, estimator) in cheapest.items():
        best.setdefault(estimator, []).append(problem)
    taken = "; ".join(f"{estimator} ({' and '.join(on)})" for estimator, on in best.items())
    least = f"Of what shows no bias, the fewest evaluations are taken by {taken}."
    if not convicted:
        return f"{least} A test of all components convicts none of a bias."
    everywhere = len(metrics["labels"]["problems"])
    where = "; ".join(
        f"{estimator} " + ("everywhere" if len(on) == everywhere else f"on {' and '.join(on)}")
        for estimator, on in convicted.items()
    )
    return f"{least} A test of all components convicts of a bias: {where}."
