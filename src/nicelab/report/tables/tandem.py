"""Tables of the tandem queue's estimators and exact answers, and what the text says of them."""

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import NONE, Table, optional
from nicelab.statistics import Estimate

PLACES = 1e-4  # of an exponent
VERDICTS = {  # of how the relative error of one path grows
    "no variance": "has no variance",
    "bounded": "has a bounded relative error",
    "logarithmically efficient": "is logarithmically efficient",
    "exponential": "has a relative error that grows exponentially",
    "infinite": "has an infinite variance",
    "unknown": "is not fitted",
}


def estimators(metrics: Metrics) -> Table:
    """Every estimator in every regime: how its variance grows, what it costs and what it finds."""
    labels, sizes = metrics["labels"], metrics["sizes"]
    return Table(
        f"Two queues in tandem: log V = a + β log(1/I) + γ log N, fitted from N = "
        f"{metrics['fit_from']}; exact relative variance V and jumps of a path at N = "
        f"{sizes[-1]}; the last estimate, from {metrics['paths']} paths or {metrics['groups']} "
        "groups, in units of the exact probability, and its distance from 1 in standard errors",
        (
            "regime",
            "estimator",
            "relative error",
            "β",
            "γ",
            "log₁₀ V",
            "jumps of a path",
            "N",
            "estimate",
            "standard errors",
        ),
        [
            (labels["regimes"][key], labels["estimators"][name], *_row(found, sizes))
            for key, regime in metrics["regimes"].items()
            for name, found in regime["estimators"].items()
        ],
    )


def _row(found: Metrics, sizes: list[int]) -> tuple[str, ...]:
    last = found[f"N={sizes[-1]}"]
    seen = [n for n in sizes if "estimate" in found[f"N={n}"]]
    drawn = found[f"N={seen[-1]}"] if seen else {}
    return (
        _growth(found),
        _exponent(found.get("exponential")),
        _exponent(found.get("polynomial")),
        _log_variance(last),
        number(last["jumps"].value, ".1f") if "jumps" in last else NONE,
        str(seen[-1]) if seen else NONE,
        _estimate(drawn),
        number(drawn["z_score"], "+.1f") if "z_score" in drawn else NONE,
    )


def _exponent(found: Estimate | None) -> str:
    """To four places, where its error is rounding."""
    if found is None or found.standard_error >= PLACES:
        return optional(found)
    return number(found.value, ".4f")


def _growth(found: Metrics) -> str:
    if "infinite_from" in found:
        return f"infinite at N = {found['infinite_from']}"
    return found.get("growth", NONE)


def _log_variance(last: Metrics) -> str:
    if "log10_variance" in last:
        return number(last["log10_variance"].value, ".2f")
    if "finite" not in last:
        return NONE
    return "−∞" if last["finite"] else "∞"


def _estimate(drawn: Metrics) -> str:
    """An estimate that varies; without spread there is nothing but itself."""
    found: Estimate | None = drawn.get("estimate")
    if found is None:
        return NONE
    return estimate(found) if "z_score" in drawn else number(found.value, ".4g")


def answers(metrics: Metrics) -> Table:
    """The exact probabilities."""
    return Table(
        "Exact probabilities that two queues in tandem fill up, from sparse linear equations; the "
        "residual is the largest relative one of any state",
        ("regime", "N", "states", "log₁₀ of the probability", "residual"),
        [
            (
                metrics["labels"]["regimes"][key],
                str(size),
                f"{exact['states']:,}".replace(",", " "),
                number(exact["log10_probability"], ".6f"),
                number(exact["residual"], ".0e"),
            )
            for key, regime in metrics["regimes"].items()
            for size in metrics["sizes"]
            for exact in [regime["exact"][f"N={size}"]]
        ],
    )


def told(metrics: Metrics) -> dict[str, str]:
    """Verdicts on the proposals, why the exchange fails, and how its estimates deceive."""
    names = ("exchange", "subsolution", "approximation")
    return {name: _verdicts(metrics, name) for name in names} | {
        "idle": _idle(metrics, "exchange"),
        "deceived": _deceived(metrics, "exchange"),
    }


def _verdicts(metrics: Metrics, name: str) -> str:
    """How one estimator's error grows, regime by regime; those that agree together."""
    by_verdict: dict[str, list[str]] = {}
    for key, regime in metrics["regimes"].items():
        found = regime["estimators"][name]
        verdict = VERDICTS[found["growth"]]
        if "infinite_from" in found:
            verdict += f" at N = {found['infinite_from']}"
        by_verdict.setdefault(verdict, []).append(metrics["labels"]["regimes"][key])
    if len(by_verdict) == 1:
        return f"{next(iter(by_verdict))} in every regime"
    return "; it ".join(f"{what} at {' and at '.join(who)}" for what, who in by_verdict.items())


def _idle(metrics: Metrics, name: str) -> str:
    """Jumps with an idle second server, of paths that fill up, and counted by squared weights."""
    parts = []
    for key, regime in metrics["regimes"].items():
        known = [n for n in metrics["sizes"] if "idle" in regime["estimators"][name][f"N={n}"]]
        if not known:
            continue
        squared = regime["estimators"][name][f"N={known[-1]}"]["idle"].value
        exact = regime["exact"][f"N={known[-1]}"]["idle"].value
        parts.append(
            f"{number(exact, '.3g')} and {number(squared, '.3g')} at N = {known[-1]} "
            f"({metrics['labels']['regimes'][key]})"
        )
    return "; ".join(parts) if parts else "nowhere finite"


def _deceived(metrics: Metrics, name: str) -> str:
    """The estimate that is the most of its own standard errors away from the exact answer."""
    found = [
        (regime["estimators"][name][f"N={size}"], size, metrics["labels"]["regimes"][key])
        for key, regime in metrics["regimes"].items()
        for size in metrics["sizes"]
        if "z_score" in regime["estimators"][name][f"N={size}"]
    ]
    if not found:
        return "None of its estimates varies."
    worst, size, label = max(found, key=lambda one: abs(one[0]["z_score"]))
    away = number(abs(worst["z_score"]), ".1f")
    return (
        f"The worst of its estimates, at N = {size} and {label}, is "
        f"{estimate(worst['estimate'])} of the exact probability, {away} of its own standard "
        "errors away."
    )
