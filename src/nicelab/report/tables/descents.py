"""Tables and text of descent: at equal evaluations, and where noise leaves it."""

from collections.abc import Callable

from nicelab.formatting import estimate, number
from nicelab.gradients.verdicts import CONVINCING, against_the_floor, at_an_end, predictions
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.gradients import place
from nicelab.report.tables.table import NONE, Table, percent
from nicelab.statistics import difference

SYMBOLS = {"mu": "μ", "sigma": "σ"}


def settled(metrics: Metrics) -> Table:
    """Where SGD settles, where its expected descent ends, and where theory has noise move it."""
    n = metrics["long_runs"]["score"]["sigma"].n
    return Table(
        f"Long runs: mean of μ and σ over {n} seeds and the second half of the steps, the end of "
        "the expected descent, where theory has the noise move it, and standard errors from both",
        ("estimator", "parameter", "mean", "expected", "away", "by theory", "away from it"),
        _of_both(metrics, _place),
    )


def wandering(metrics: Metrics) -> Table:
    """How far SGD wanders where it has settled, and by theory."""
    n = metrics["long_runs"]["score"]["sigma"].n
    return Table(
        f"Long runs: standard deviation of μ and σ over {n} seeds after the last step, by theory, "
        "and standard errors from it",
        ("estimator", "parameter", "standard deviation", "by theory", "away from it"),
        _of_both(metrics, _deviation),
    )


def _of_both(
    metrics: Metrics, told_of: Callable[[Metrics, str], tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Rows of both parameters of every long run."""
    labels = metrics["labels"]["estimators"]
    return [
        (labels[name], symbol, *told_of(run, parameter))
        for name, run in metrics["long_runs"].items()
        for parameter, symbol in SYMBOLS.items()
    ]


def _place(run: Metrics, parameter: str) -> tuple[str, ...]:
    found = run[parameter]
    places = (run[key][parameter].value for key in ("expected", "predicted"))
    away = (x for at in places for x in (number(at, ".6f"), number(found.z_score(at), "+.1f")))
    return (estimate(found), *away)


def _deviation(run: Metrics, parameter: str) -> tuple[str, ...]:
    found, theory = run["spread"][parameter], run["predicted_spread"][parameter].value
    return estimate(found), number(theory, ".5f"), number(found.z_score(theory), "+.1f")


def budget(metrics: Metrics) -> Table:
    """How near descent comes to the minimum at equal evaluations."""
    labels, found = metrics["labels"], metrics["budget"]
    headings = [(f"{x}, excess", "step size", "astray") for x in labels["optimisers"].values()]
    return Table(
        f"Mean loss above the minimum after {found['evaluations']} evaluations, over the runs "
        "that end nearest to it, at the step size that was best on other seeds; the share of the "
        "other runs; and the excess at which theory has SGD stay",
        ("estimator", *headings[0], "floor", *headings[1]),
        [
            (
                labels["estimators"][name],
                *_spent(run),
                number(run["floor"].value, ".2e") if "floor" in run else NONE,
                *_spent(found["adam"][name]),
            )
            for name, run in found["sgd"].items()
        ],
    )


def _spent(run: Metrics) -> tuple[str, str, str]:
    share = percent(run["share_astray"])
    return estimate(run["excess_loss"]), f"{run['learning_rate']:g}", share


def nodes(metrics: Metrics) -> Table:
    """What plain quadrature errs, beside what those deviate that spend its nodes otherwise."""
    few, columns = metrics["few_nodes"], ("quadrature", "least_deviation")
    return Table(
        f"Error of plain quadrature with {few} nodes, and the least standard deviation of a "
        f"batch’s mean of the estimators that spend {few} nodes beside their samples, as lengths "
        "in (μ, τ)",
        ("point", "quadrature", "least deviation"),
        [
            (place(at), *(number(x[key].value, ".1e") for key in columns))
            for at, x in metrics["nodes"].items()
        ],
    )


def told(metrics: Metrics) -> dict[str, str]:
    """What the text says of theory, of quadrature with the same nodes, and of the optimisers."""
    return {
        "floor": _floor(metrics["long_runs"]),
        "nodes": _nodes(metrics),
        "optimisers": _optimisers(metrics["budget"]),
        "reached": _reached(metrics["budget"]["sgd"]),
        "grid": _grid(metrics),
        "astray": _astray(metrics["budget"], metrics["labels"]["optimisers"]),
    }


def _floor(runs: Metrics) -> str:
    """Whether theory has the mean and the deviation of every run."""
    off = [abs(z) for run in runs.values() for z in predictions(run)]
    agrees = "agrees with" if max(off) < CONVINCING else "does not agree with"
    return (
        f"To first order in the step theory {agrees} the mean and the standard deviation of μ and "
        f"σ in all runs: of {len(off)} numbers none is farther off than "
        f"{number(max(off), '.1f')} standard errors."
    )


def _nodes(metrics: Metrics) -> str:
    """Whether quadrature with the nodes that some spend on a baseline errs less than they do."""
    found = metrics["nodes"]
    better = sum(x["quadrature"].value < x["least_deviation"].value for x in found.values())
    return (
        f"Plain quadrature with {metrics['few_nodes']} nodes errs less than a batch of any "
        "estimator that spends as many on a baseline or a surrogate deviates, at "
        f"{better} of {len(found)} points."
    )


def _optimisers(budget: Metrics) -> str:
    """With how many estimators one optimiser ends nearer than the other."""
    less = [
        difference(budget["sgd"][name]["excess_loss"], budget["adam"][name]["excess_loss"])
        for name in budget["sgd"]
    ]
    sgd, adam = (sum(sign * x.z_score(0) > CONVINCING for x in less) for sign in (-1, 1))
    return (
        f"Each at its own step size, SGD ends nearer than Adam with {sgd} of {len(less)} "
        f"estimators and Adam with {adam}, by more than {CONVINCING:g} standard errors."
    )


def _reached(found: Metrics) -> str:
    """Which have come down to the floor that theory states."""
    above, at, below = map(len, against_the_floor(found))
    said = (
        f"Of {above + at + below} estimators whose floor ½ tr(HS) is known, SGD is within "
        f"{CONVINCING:g} standard errors of it at the end with {at} and still above it "
        f"with {above}"
    )
    return f"{said}, but below it with {below}." if below else f"{said}."


def _grid(metrics: Metrics) -> str:
    """Whether a step size beyond the grids might have been better."""
    budget, labels = metrics["budget"], metrics["labels"]["optimisers"]
    said = [f"of {label} with {len(at_an_end(budget[key]))}" for key, label in labels.items()]
    return (
        f"The step size is at an end of its grid, so that one beyond might be better, "
        f"{' and '.join(said)} of {len(budget['sgd'])} estimators."
    )


def _astray(budget: Metrics, labels: Metrics) -> str:
    """How many runs end elsewhere, at the step sizes that are told of."""
    shares = [run["share_astray"].value for key in labels for run in budget[key].values()]
    if not any(shares):
        return "No run ends nearest to the other minimum, or diverges."
    return (
        f"Means are over the runs that end nearest to the minimum: of the others there are "
        f"{number(max(shares), '.1%')} at most."
    )
