"""Table of what the accuracy of a gradient costs in many dimensions, and what the text says."""

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import NONE, Table
from nicelab.statistics import Estimate

FASTER = 3.0  # standard errors by which one exponent must be above another


def growth(metrics: Metrics) -> Table:
    """Every estimator on every objective: the power of d, and the work in the most dimensions."""
    labels = metrics["labels"]
    return Table(
        "Evaluations of f for an error as large as the gradient: the power of d that they grow "
        f"as, fitted from d = {metrics['fit_from']}, exact between the two largest d, and the "
        "number at the largest",
        ("objective", "estimator", "power of d", "exact", "largest d", "evaluations", "exact"),
        [
            (labels["objectives"][objective], labels["estimators"][name], *_row(found, of_kind))
            for objective, of_kind in metrics["objectives"].items()
            for name, found in of_kind["estimators"].items()
        ],
    )


def _row(found: Metrics, of_kind: Metrics) -> tuple[str, ...]:
    last = found[f"d={of_kind['largest']}"]
    return (
        estimate(found["exponent"]),
        _exact(found.get("exact_exponent"), ".3f"),
        str(of_kind["largest"]),
        estimate(last["work"]),
        _exact(last.get("exact_work"), ".5g"),
    )


def _exact(metric: Estimate | None, form: str) -> str:
    return NONE if metric is None else number(metric.value, form)


def told(metrics: Metrics) -> str:
    """On which objectives pathwise's work grows as a smaller power of d than every other's."""
    labels = metrics["labels"]["objectives"]
    slowest = [labels[key] for key, x in metrics["objectives"].items() if _slowest(x)]
    if len(slowest) == len(labels):
        return "On every objective pathwise’s work grows as the smallest power of d."
    if not slowest:
        return "On no objective pathwise’s work is shown to grow as the smallest power of d."
    return (
        "Pathwise’s work grows as a smaller power of d than all others’ on "
        f"{' and '.join(slowest)}; elsewhere that is not shown, or no power of d describes them."
    )


def _slowest(of_kind: Metrics) -> bool:
    pathwise = of_kind["estimators"]["pathwise"]["exponent"]
    others = [x["exponent"] for k, x in of_kind["estimators"].items() if k != "pathwise"]
    return all(_above(other, pathwise) for other in others)


def _above(one: Estimate, other: Estimate) -> bool:
    """By more than chance."""
    error = (one.standard_error**2 + other.standard_error**2) ** 0.5
    return one.value - other.value > FASTER * error
