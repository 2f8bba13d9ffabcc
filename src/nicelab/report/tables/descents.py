"""Tables and text of descent: at equal evaluations, and where noise leaves it."""

from nicelab.formatting import estimate, number
from nicelab.gradients.verdicts import CONVINCING, predictions
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import Table
from nicelab.statistics import difference


def budget(metrics: Metrics) -> Table:
    """How near descent comes to a minimum at equal evaluations."""
    labels, found = metrics["labels"], metrics["budget"]
    return Table(
        f"Mean loss above the nearest minimum after {found['evaluations']} evaluations, at the "
        "step size that was best on other seeds",
        ("estimator", *(x for name in labels["optimisers"].values() for x in (name, "step size"))),
        [
            (
                labels["estimators"][name],
                *(x for key in labels["optimisers"] for x in _spent(found[key][name])),
            )
            for name in found["sgd"]
        ],
    )


def _spent(run: Metrics) -> tuple[str, str]:
    return estimate(run["excess_loss"]), f"{run['learning_rate']:g}"


def told(metrics: Metrics) -> dict[str, str]:
    """What the text says of theory, of quadrature with the same nodes, and of the optimisers."""
    return {
        "floor": _floor(metrics["long_runs"]),
        "nodes": _nodes(metrics),
        "optimisers": _optimisers(metrics["budget"]),
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
