"""What the study of gradient estimators amounts to: what figures and the report state."""

from collections.abc import Mapping
from typing import Any

from nicelab.statistics import Estimate

CONVINCING = 3.0  # standard errors, or standard deviations of a single run
PRINTED = ("score", "pathwise")  # the estimators of which the sheet prints a run
AT_A_MINIMUM = 1e-3  # distance in μ and σ within which an end is a minimum


def printed_by_the_faults(sgd: Mapping[str, Any]) -> bool:
    """Whether every printed σ could come from the faulty runs, and none from the right ones."""

    def possible(run: str) -> bool:
        return abs(sgd[run]["printed"]["sigma"]["z_score"]) < CONVINCING

    return all(possible(f"{name}_as_printed") and not possible(name) for name in PRINTED)


def minimum_at(point: Mapping[str, Estimate], minima: Mapping[str, Any]) -> str | None:
    """Which minimum a point is, if it is one."""
    for name, minimum in minima.items():
        distances = (abs(point[k].value - minimum[k].value) for k in ("mu", "sigma"))
        if max(distances) < AT_A_MINIMUM:
            return name
    return None


def points_with_less_variance(estimators: Mapping[str, Any], one: str, other: str) -> list[str]:
    """Points where the first estimator's exact variance, summed over μ and τ, is the smaller."""

    def variance(name: str, at: str) -> float:
        return sum(x.value for x in estimators[name][at]["exact_variance"].values())

    return [at for at in estimators[one] if variance(one, at) < variance(other, at)]


def predictions(run: Mapping[str, Any]) -> list[float]:
    """Standard errors by which a long run is off theory: the means of μ and σ, and deviations."""
    return [
        observed[key].z_score(run[theory][key].value)
        for observed, theory in ((run, "predicted"), (run["spread"], "predicted_spread"))
        for key in ("mu", "sigma")
    ]


def against_the_floor(found: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Estimators of a known floor whose excess loss at the end is above it, at it, or below."""
    above, at, below = [], [], []
    for name, run in found.items():
        if "floor" in run:
            z = run["excess_loss"].z_score(run["floor"].value)
            (above if z > CONVINCING else below if z < -CONVINCING else at).append(name)
    return above, at, below


def at_an_end(found: Mapping[str, Any]) -> list[str]:
    """Estimators whose step size is the smallest or the largest that was tried."""
    grids = {name: [float(rate) for rate in run["rates"]] for name, run in found.items()}
    return [
        name
        for name, run in found.items()
        if run["learning_rate"] in (min(grids[name]), max(grids[name]))
    ]


def shifted(long_runs: Mapping[str, Any]) -> list[str]:
    """Estimators whose runs do not settle in σ where their expected descent ends."""
    return [
        name
        for name, run in long_runs.items()
        if abs(run["sigma"].z_score(run["expected"]["sigma"].value)) > CONVINCING
    ]
