"""Tables of the gradient estimators: ends of descent, bias, variance and cost."""

from nicelab.formatting import estimate, number
from nicelab.gradients.verdicts import (
    minimum_at,
    points_with_less_variance,
    printed_by_the_faults,
    shifted,
)
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import Table

FAULTS = ("score_as_printed", "pathwise_as_printed", "score", "pathwise")  # wrong ones, then right


def descents(metrics: Metrics) -> Table:
    """Where SGD ends with each estimator, and where it should."""
    labels, runs = metrics["labels"]["estimators"], metrics["sgd"]
    return Table(
        f"Ends of SGD over {runs['score']['mu'].n} seeds, the expected ends, "
        "and the standard deviation of σ over seeds",
        ("estimator", "μ", "σ", "expected (μ, σ)", "spread of σ"),
        [_descent(labels[name], run) for name, run in runs.items()],
    )


def _descent(label: str, run: Metrics) -> tuple[str, ...]:
    mu, sigma = (number(run["exact"][name].value, ".6f") for name in ("mu", "sigma"))
    return (
        label,
        estimate(run["mu"]),
        estimate(run["sigma"]),
        f"({mu}, {sigma})",
        estimate(run["spread"]["sigma"]),
    )


def told(metrics: Metrics) -> dict[str, str]:
    """What the text says of the runs and of the score function against pathwise."""
    return {
        "printed": "agree with the faulty estimators and with no unbiased one"
        if printed_by_the_faults(metrics["sgd"])
        else "do not tell the faulty estimators from unbiased ones",
        "ends": "; ".join(_end(name, metrics) for name in FAULTS),
        "shifted": _shifted(metrics),
        "less_variance": _less_variance(metrics["estimators"]),
    }


def _end(name: str, metrics: Metrics) -> str:
    """Where the expected descent of a long run ends, and what is there."""
    run, label = metrics["long_runs"][name], metrics["labels"]["estimators"][name]
    minimum = minimum_at(run["expected"], metrics["exact"]["minima"])
    place = f"at the {minimum} minimum" if minimum else "where no minimum is"
    return f"{label}, at σ = {estimate(run['sigma'])}, {place}"


def _shifted(metrics: Metrics) -> str:
    names = shifted(metrics["long_runs"])
    if not names:
        return "Here no shift is seen: all settle where the expected descent ends."
    labels = [metrics["labels"]["estimators"][name] for name in names]
    return f"Here the shift is seen with {' and '.join(labels)}."


def _less_variance(found: Metrics) -> str:
    """At which of the points the score function has less variance than pathwise, and where not."""
    less, points = points_with_less_variance(found, "score", "pathwise"), len(found["score"])
    if not less:
        return f"At all {points} points pathwise has less variance than the score function."
    if len(less) == points:
        return f"At all {points} points the score function has less variance than pathwise."
    return (
        "Neither the score function nor pathwise is better everywhere: of "
        f"{points} points the score function has less variance at {'; '.join(map(place, less))}."
    )


def place(at: str) -> str:
    """A point as a reader writes it."""
    return at.replace("mu=", "μ = ").replace(" sigma=", ", σ = ")


def stationary_points(metrics: Metrics) -> Table:
    """Where the loss is flat."""
    minima = metrics["exact"]["minima"]
    points = {
        "global minimum": minima["global"],
        "local minimum": minima["local"],
        "saddle": metrics["exact"]["saddle"],
    }
    formats = {"mu": ".6f", "sigma": ".6f", "loss": ".8f"}
    return Table(
        "Stationary points, exact",
        ("", "μ", "σ", "L"),
        [
            [name, *(number(point[key].value, form) for key, form in formats.items())]
            for name, point in points.items()
        ],
    )


def faults(metrics: Metrics) -> Table:
    """Bias of the printed estimators and of the right ones, by point."""
    labels, found = metrics["labels"]["estimators"], metrics["estimators"]
    return Table(
        "Bias of ∂τ by point: at σ = 1 the faults cannot be seen",
        ["point", *(labels[name] for name in FAULTS)],
        [
            [at, *(estimate(found[name][at]["bias"]["tau"]) for name in FAULTS)]
            for at in found["score_as_printed"]
        ],
    )


def estimators(metrics: Metrics) -> Table:
    """Bias, variance and cost of every estimator at the first point."""
    labels, found = metrics["labels"]["estimators"], metrics["estimators"]
    at = next(iter(found["score"]))
    return Table(
        "Bias, variance of a batch's mean times the batch, "
        f"and evaluations of f for a variance of 1, at {at}",
        (
            "estimator",
            "bias of ∂μ",
            "bias of ∂τ",
            "variance of ∂μ, exact",
            "observed",
            "variance of ∂τ, exact",
            "observed",
            "cost",
        ),
        [_estimator(labels[name], points[at]) for name, points in found.items()],
    )


def _estimator(label: str, metrics: Metrics) -> tuple[str, ...]:
    bias, variance, exact = (metrics[k] for k in ("bias", "variance", "exact_variance"))
    return (
        label,
        estimate(bias["mu"]),
        estimate(bias["tau"]),
        number(exact["mu"].value, ".4g"),
        estimate(variance["mu"]),
        number(exact["tau"].value, ".4g"),
        estimate(variance["tau"]),
        number(metrics["work"].value, ".3g"),
    )


def elbo(metrics: Metrics) -> Table:
    """Both sides of the identity, by component."""
    return Table(
        "Gradient of the ELBO by component",
        ("component", "by the identity", "exact", "E[∇ log q], exactly 0"),
        [
            (
                component,
                estimate(found["gradient"]),
                number(found["exact_gradient"].value, ".6f"),
                estimate(found["score"]),
            )
            for component, found in metrics["elbo"].items()
            if component != "variances"
        ],
    )


def elbo_variances(metrics: Metrics) -> Table:
    """How much each estimator of the ELBO's gradient varies."""
    labels = metrics["labels"]["elbo"]
    return Table(
        "Variance of a single sample of the ELBO's gradient, summed over its components",
        ("estimator", "at φ", "at the posterior"),
        [
            (labels[name], estimate(found["at_phi"]), estimate(found["at_the_posterior"]))
            for name, found in metrics["elbo"]["variances"].items()
        ],
    )
