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


def shifted(long_runs: Mapping[str, Any]) -> list[str]:
    """Estimators whose runs do not settle in σ where their expected descent ends."""
    return [
        name
        for name, run in long_runs.items()
        if abs(run["sigma"].z_score(run["expected"]["sigma"].value)) > CONVINCING
    ]
