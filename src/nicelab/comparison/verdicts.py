"""Whether differences between two runs are more than noise: one by one, with one correction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control, norm

from nicelab.statistics import Estimate, mean

LEVEL = 0.05  # share of false discoveries among the differences that are called so
ROUNDING = 1e-12  # relative difference of exact numbers below which they are the same
LABELS = "labels"  # entry of a metrics file: what a reader calls the others
SAME_MEAN = 1e-6  # relative difference within which an array is the one that a metric comes from

# Whether more is better (+1), less is better (−1), or neither (0); the first pattern that fits.
DIRECTIONS: dict[str, int] = {
    "likelihood.*_over_draws": 0,  # its error is that of the noise alone, on these very images
    "likelihood.*.log_likelihood": +1,
    "likelihood.*.bits_per_dim": -1,
    "training.validation.log_likelihood": +1,
    "classifier.test.accuracy": +1,
    "diagnostics.latents.*distance": -1,
    "diagnostics.latents.share_rejected*": -1,
    "inpainting.*squared_error_less_gaussian": -1,
    "inpainting.*squared_error_zeroed_less_printed": 0,
    "inpainting.*squared_error": -1,
    "inpainting.*psnr": +1,
    "inpainting.*ssim": +1,
    "inpainting.*accuracy": +1,
    "importance.exact.*": 0,
    "importance.*relative_error": -1,
    "importance.*work": -1,
    "convolution.*.largest_absolute_error": -1,
    "gradients.estimators.*.variance.*": -1,
    "gradients.estimators.*.exact_variance.*": -1,
    "gradients.estimators.*.work": -1,
    "samples.round_trip_error": -1,
    "*": 0,  # a description, a diagnostic or an exact answer: neither way is better
}


class Verdict(StrEnum):
    """What can be said about a metric."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"  # where neither way is better
    NO_EVIDENCE = "no evidence"
    CHANGED = "changed exactly"  # without an error bar there is no noise to blame
    NEW = "new"
    GONE = "gone"
    SAME = "same"


@dataclass(frozen=True)
class Row:
    """One metric in both runs.

    `difference` is after − before; `adjusted_p` comes from Benjamini and Hochberg (1995) over all
    metrics that are tested.
    """

    name: str
    before: Estimate | str | None
    after: Estimate | str | None
    verdict: Verdict
    difference: Estimate | None = None
    paired: bool = False
    z: float | None = None
    adjusted_p: float | None = None


Pairs = Callable[[str], tuple[np.ndarray, np.ndarray] | None]


def no_pairs(name: str) -> None:
    """Nothing is known beside the metrics."""


def direction(name: str) -> int:
    """Whether more (+1) or less (−1) of a metric is better, or neither (0)."""
    return next(sign for pattern, sign in DIRECTIONS.items() if fnmatchcase(name, pattern))


def flatten(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate | str]:
    """All metrics as `{"likelihood.test.log_likelihood": Estimate(…), …}`.

    A bare number is exact; whatever else has no parts is text. What a file calls its entries
    is no metric.

    Args:
        files: content of each metrics file, as JSON, by its name.
    """
    flat: dict[str, Estimate | str] = {}
    for file, metrics in files.items():
        flat |= _flatten({name: x for name, x in metrics.items() if name != LABELS}, f"{file}.")
    return flat


def _flatten(metrics: Mapping[str, Any], prefix: str) -> dict[str, Estimate | str]:
    flat: dict[str, Estimate | str] = {}
    for key, item in metrics.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping) and {"value", "standard_error", "n"} <= set(item):
            flat[name] = Estimate(item["value"], item["standard_error"], item["n"])
        elif isinstance(item, Mapping):
            flat |= _flatten(item, f"{name}.")
        elif isinstance(item, int | float) and not isinstance(item, bool):
            flat[name] = Estimate.exact(item)
        else:
            flat[name] = str(item)
    return flat


def judge(
    before: Mapping[str, Estimate | str],
    after: Mapping[str, Estimate | str],
    pairs: Pairs = no_pairs,
) -> list[Row]:
    """All metrics of both runs, in order of name.

    Args:
        before: metrics by name.
        after: the same of the other run.
        pairs: gives, for the name of a metric, the samples of both runs that belong together,
            shape (n,) each, or None. Without them the runs count as independent.
    """
    rows = [
        _row(name, before.get(name), after.get(name), pairs) for name in sorted({*before, *after})
    ]
    tested = [k for k, row in enumerate(rows) if row.z is not None]
    p = 2 * norm.sf(np.abs([rows[k].z for k in tested]))
    for k, adjusted in zip(tested, false_discovery_control(p) if tested else [], strict=True):
        rows[k] = replace(
            rows[k], adjusted_p=float(adjusted), verdict=_verdict(rows[k], float(adjusted))
        )
    return rows


def _row(
    name: str, before: Estimate | str | None, after: Estimate | str | None, pairs: Pairs
) -> Row:
    if before is None or after is None:
        return Row(name, before, after, Verdict.NEW if before is None else Verdict.GONE)
    if before == after:
        return Row(name, before, after, Verdict.SAME)
    if isinstance(before, str) or isinstance(after, str):
        return Row(name, before, after, Verdict.CHANGED)
    difference, paired = _difference(before, after, pairs(name))
    if not difference.standard_error:
        if np.isclose(before.value, after.value, rtol=ROUNDING, atol=0):
            return Row(name, before, after, Verdict.SAME)
        return Row(name, before, after, Verdict.CHANGED, difference)
    z = difference.z_score(0)
    return Row(name, before, after, Verdict.NO_EVIDENCE, difference, paired, z)


def _difference(
    before: Estimate, after: Estimate, samples: tuple[np.ndarray, np.ndarray] | None
) -> tuple[Estimate, bool]:
    """After − before, over pairs if the samples are those of the metrics."""
    if samples and all(
        len(x) == metric.n and np.isclose(x.mean(), metric.value, rtol=SAME_MEAN, atol=0)
        for x, metric in zip(samples, (before, after), strict=True)
    ):
        return mean(samples[1] - samples[0]), True
    error = np.hypot(_error(before), _error(after))
    n = min(before.n, after.n)
    return Estimate(after.value - before.value, float(error), n), False


def _error(reading: Estimate) -> float:
    """Standard error; that of Laplace's rule where all samples agree, as in a share of 1."""
    if reading.standard_error or reading.n == 1:
        return reading.standard_error
    return 1 / (reading.n + 2)


def _verdict(row: Row, p: float) -> Verdict:
    if p >= LEVEL:
        return Verdict.NO_EVIDENCE
    gain = direction(row.name) * row.difference.value
    if gain == 0:
        return Verdict.DIFFERENT
    return Verdict.BETTER if gain > 0 else Verdict.WORSE
