"""Tables of the gambler: estimators, intervals and what they cover."""

from nicelab.formatting import number
from nicelab.importance.verdicts import GOAL, NESTED, better, less_with_each, plays_needed
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import NONE, Table, optional, percent


def told(methods: Metrics) -> dict[str, str | bool]:
    """What the text says of nested proposals, of splitting and of the particle filter."""
    balance, reach, adaptive, particles = (
        methods[name]["replicated"]["relative_error"]
        for name in (
            "splitting_by_balance",
            "splitting_by_reach",
            "splitting_adaptive",
            "particle_filter",
        )
    )
    verdicts = {True: "they do better", False: "they do worse", None: "which is better is open"}
    return {
        "less_with_each": less_with_each(methods),
        "nested": ", ".join(percent(methods[x]["exact_relative_error"]) for x in NESTED),
        "by_balance": percent(balance),
        "by_reach": percent(reach),
        "adaptive": percent(adaptive),
        "particles": percent(particles),
        "time": verdicts[better(reach, balance)],
    }


def estimators(metrics: Metrics) -> Table:
    """Errors, hits and cost of every estimator."""
    return Table(
        f"The gambler with {metrics['paths']} paths, by estimator",
        (
            "estimator",
            "q",
            "exact relative error",
            "observed",
            "over replicates",
            "estimate",
            "standard errors from the exact answer",
            "hits",
            "plays",
            "relative variance × plays",
            f"plays to {100 * GOAL:g} %, with learning",
        ),
        [(label, *_estimator(found)) for label, found in _methods(metrics)],
    )


def _estimator(metrics: Metrics) -> tuple[str, ...]:
    varies = "relative_error" in metrics and "z_score" in metrics
    replicated = metrics.get("replicated")
    return (
        _win_probability(metrics),
        percent(metrics.get("exact_relative_error")),
        percent(metrics["relative_error"] if varies else None),
        percent(replicated and replicated["relative_error"]),
        optional(metrics["probability"] if varies else None),
        number(metrics["z_score"], ".1f") if varies else NONE,
        str(metrics.get("hits", NONE)),
        str(metrics["plays"]),
        number(metrics["work"].value, ".3g"),
        number(plays_needed(metrics).value, ".3g"),
    )


def learning(metrics: Metrics) -> Table:
    """What each learned proposal cost, and below which error that is paid for."""
    labels = metrics["labels"]["methods"]
    return Table(
        "What learning costs: below the last column’s relative error the learned proposal takes "
        "fewer plays in all than the best one that learns nothing and sees no more",
        ("learned proposal", "plays of learning", "compared with", "pays off below"),
        [
            (
                label,
                number(found["learning"], ".3g"),
                labels[found["rival"]],
                percent(found["pays_off_below"]) if "pays_off_below" in found else "never",
            )
            for label, found in _methods(metrics)
            if "learning" in found
        ],
    )


def rarity(metrics: Metrics) -> Table:
    """How the relative variance grows with rarity, and the error in the rarest game."""
    labels, methods = metrics["labels"]["methods"], metrics["rarer"]["methods"]
    rarest = 10 ** metrics["rarer"]["games"][-1]["log10_probability"]
    return Table(
        f"log(1 + V) = a + β log(1/I) + γ log log(1/I), fitted to the games below 10⁻³; the last "
        f"column at {number(rarest, '.1e')}. β = 0 is logarithmic efficiency, γ = 0 too a bounded "
        "error",
        ("estimator", "β", "β in the limit", "γ", "relative error in the rarest game"),
        [
            (
                label,
                optional(methods[name].get("exponential")),
                number(abs(methods[name]["limit"].value), ".4f")
                if "limit" in methods[name]
                else NONE,
                optional(methods[name].get("polynomial")),
                percent(methods[name].get("rarest_relative_error")),
            )
            for name, label in labels.items()
        ],
    )


def _win_probability(metrics: Metrics) -> str:
    """That of a constant proposal; splitting, which counts no hits, changes none."""
    if "q" in metrics:
        return number(metrics["q"], ".5f")
    return "varies" if "hits" in metrics else NONE


def intervals(metrics: Metrics) -> Table:
    """The 95 % intervals of every estimator."""
    kinds, exact = metrics["labels"]["intervals"], metrics["exact"]["probability"].value
    return Table(
        f"95 % intervals of the probability, which is {number(exact, '.6e')}; those of splitting "
        "have Student’s quantile, since their error comes from few groups",
        ["estimator", *kinds.values()],
        [
            [label, *(_interval(found["intervals"].get(kind)) for kind in kinds)]
            for label, found in _methods(metrics)
            if "intervals" in found
        ],
    )


def _interval(ends: Metrics | None) -> str:
    if ends is None:
        return NONE
    lower = number(ends["lower"], ".3e") if ends["lower"] else "0"
    return f"{lower} to {number(ends['upper'], '.3e')}"


def coverage(metrics: Metrics) -> Table:
    """What the intervals cover, and what the weights tell."""
    kinds = metrics["labels"]["intervals"]
    return Table(
        "Coverage of 95 % intervals, effective sample size and Pareto k̂: those of the weights of "
        "all paths, hits or not, say nothing about the estimate",
        ["estimator", *kinds.values(), "ESS of w·1{hit}", "k̂", "ESS of all w", "k̂"],
        [
            [label, *_covered(found.get("coverage"), kinds), *_weights(found.get("weights"))]
            for label, found in _methods(metrics)
            if "coverage" in found or "weights" in found
        ],
    )


def _covered(metrics: Metrics | None, kinds: Metrics) -> list[str]:
    return [optional(metrics.get(kind) if metrics else None) for kind in kinds]


def _weights(metrics: Metrics | None) -> list[str]:
    """Effective sample size and k̂ of the paths that hit, and of all."""
    if metrics is None:
        return 4 * [NONE]
    cells = []
    for part in ("of_hits", "of_all"):
        found = metrics[part]
        shape = number(found["pareto_k"], ".2f") if "pareto_k" in found else NONE
        cells += [number(found["effective_sample_size"], ".0f"), shape]
    return cells


def _methods(metrics: Metrics) -> list[tuple[str, Metrics]]:
    """Label and metrics of each estimator, in the study's order."""
    labels = metrics["labels"]["methods"]
    return [(labels[name], found) for name, found in metrics["methods"].items()]
