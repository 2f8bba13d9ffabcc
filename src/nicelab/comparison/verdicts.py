"""Whether differences between two runs are more than noise, with a correction for their number."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control, norm

from nicelab.comparison.directions import direction, repeats, rounding
from nicelab.statistics import Estimate, mean, of_a_share

LEVEL = 0.05
SAME = 1e-9  # relative difference of exact numbers below which only rounding differs
SAME_MEAN = 1e-6  # relative difference within which an array is the one that a metric comes from
ANOTHER_TRAINING = "trained anew, and the spread over trainings is unknown"
ANOTHER_SEED = "another seed of the same recipe"


class Verdict(StrEnum):
    """What can be said about a metric."""

    WORSE = "worse"
    GONE = "gone"
    STALE = "stale"  # the number is older than the code or the parameters
    BETTER = "better"
    DIFFERENT = "different"  # where neither way is better
    CHANGED = "changed exactly"  # the same without an error bar: there is no noise to blame
    NO_EVIDENCE = "no evidence"
    NOT_JUDGED = "not judged"  # it says again what another metric says
    NEW = "new"
    SAME = "same"


@dataclass(frozen=True)
class Row:
    """One metric in both runs.

    `difference` is after − before; `z` is that in standard errors, `p` two-sided, and `adjusted_p`
    corrected for the number of tests. A `note` says why there is no verdict.
    """

    name: str
    before: Estimate | str | None
    after: Estimate | str | None
    verdict: Verdict
    difference: Estimate | None = None
    paired: bool = False
    z: float | None = None
    p: float | None = None
    adjusted_p: float | None = None
    note: str = ""


Pairs = Callable[[str], tuple[np.ndarray, np.ndarray] | None]
Spread = Callable[[str], float | None]


def no_pairs(name: str) -> None:
    """Nothing is known beside the metrics."""


def no_spread(name: str) -> float:
    """No model was trained anew."""
    return 0.0


def judge(
    before: Mapping[str, Estimate | str],
    after: Mapping[str, Estimate | str],
    pairs: Pairs = no_pairs,
    spread: Spread = no_spread,
) -> list[Row]:
    """All metrics of both runs, in order of name, tested one by one.

    Args:
        before: metrics by name.
        after: the same of the other run.
        pairs: gives, for the name of a metric, the samples of both runs that belong together,
            shape (n,) each, or None. Without them the runs count as independent.
        spread: gives, for the name of a metric, the standard deviation that its difference has
            because a model was trained anew: 0 if it was not, None if that is unknown.
    """
    names = sorted({*before, *after})
    return [_row(name, before.get(name), after.get(name), pairs, spread) for name in names]


def by_holm(rows: Sequence[Row]) -> list[Row]:
    """The same with verdicts of which, in all, one is wrong with a probability of at most `LEVEL`.

    For any dependence of the tests, by Holm's procedure: A simple sequentially rejective multiple
    test procedure, Scandinavian Journal of Statistics 6 (1979). There are three families: what may
    be worse, and what may be better, where that is known, both by one-sided tests; and what may
    differ where neither way is better. Each has that level.
    """
    found = list(rows)
    tested = [k for k, row in enumerate(rows) if row.p is not None]
    directed = [k for k in tested if direction(rows[k].name)]
    families = {
        Verdict.WORSE: {k: _one_sided(rows[k], -1) for k in directed},
        Verdict.BETTER: {k: _one_sided(rows[k], +1) for k in directed},
        Verdict.DIFFERENT: {k: rows[k].p for k in tested if k not in directed},
    }
    for verdict, family in families.items():
        for k, p in zip(family, holm(list(family.values())), strict=True):
            if verdict == Verdict.DIFFERENT or verdict == _way(rows[k]):
                found[k] = _with_p(rows[k], float(p), verdict)
    return found


def by_false_discoveries(rows: Sequence[Row]) -> list[Row]:
    """The same with verdicts of which a share of at most `LEVEL` is expected to be wrong.

    Two-sided tests, corrected after Benjamini and Yekutieli (2001): metrics of one run depend on
    each other in all ways.
    """
    found = list(rows)
    tested = [k for k, row in enumerate(rows) if row.p is not None]
    p = [rows[k].p for k in tested]
    adjusted = false_discovery_control(p, method="by") if p else []
    for k, x in zip(tested, adjusted, strict=True):
        found[k] = _with_p(rows[k], float(x), _way(rows[k]))
    return found


def holm(p: ArrayLike) -> np.ndarray:
    """p-values adjusted after Holm (1979), shape (n,): max over j ≤ i of (n − j + 1) p₍ⱼ₎, ≤ 1."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    steps = np.minimum(1, p[order] * np.arange(p.size, 0, -1))
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def _one_sided(row: Row, sign: int) -> float:
    """Probability of so much gain (+1) or loss (−1), or more, if nothing changed."""
    return row.p / 2 if sign * direction(row.name) * row.z > 0 else 1 - row.p / 2


def _with_p(row: Row, p: float, verdict: Verdict) -> Row:
    return replace(row, adjusted_p=p, verdict=verdict if p < LEVEL else Verdict.NO_EVIDENCE)


def _way(row: Row) -> Verdict:
    """What a difference is, if it is one."""
    gain = direction(row.name) * row.difference.value
    if gain == 0:
        return Verdict.DIFFERENT
    return Verdict.BETTER if gain > 0 else Verdict.WORSE


def _row(
    name: str,
    before: Estimate | str | None,
    after: Estimate | str | None,
    pairs: Pairs,
    spread: Spread,
) -> Row:
    if before is None:
        return Row(name, before, after, Verdict.NEW)
    if after is None or (isinstance(after, str) and isinstance(before, Estimate)):
        return Row(name, before, after, Verdict.GONE)
    if before == after:
        return Row(name, before, after, Verdict.SAME)
    if isinstance(before, str) or isinstance(after, str):
        return Row(name, before, after, Verdict.CHANGED)
    difference, paired = _difference(before, after, pairs(name))
    if repeats(name):
        return Row(name, before, after, Verdict.NOT_JUDGED, difference, paired)
    if not difference.standard_error and (not direction(name) or _is_same(name, before, after)):
        same = _is_same(name, before, after)
        return Row(name, before, after, Verdict.SAME if same else Verdict.CHANGED, difference)
    return _tested(Row(name, before, after, Verdict.NO_EVIDENCE, difference, paired), spread(name))


def _tested(row: Row, spread: float | None) -> Row:
    """With the error over trainings, if there are two and it is known; tested if there is one."""
    if spread is None:
        return replace(row, note=ANOTHER_TRAINING)
    error = math.hypot(row.difference.standard_error, spread)
    difference = replace(row.difference, standard_error=error)
    if not error:
        return replace(row, verdict=_way(row))
    z = difference.z_score(0)
    return replace(row, difference=difference, z=z, p=float(2 * norm.sf(abs(z))))


def _is_same(name: str, before: Estimate, after: Estimate) -> bool:
    """Whether exact numbers are the same but for rounding."""
    values = before.value, after.value
    return max(values) <= rounding(name) or bool(np.isclose(*values, rtol=SAME, atol=0))


def _difference(
    before: Estimate, after: Estimate, samples: tuple[np.ndarray, np.ndarray] | None
) -> tuple[Estimate, bool]:
    """After − before, over pairs if the samples are those of the metrics."""
    if samples and all(
        metric.n in (0, len(x)) and np.isclose(x.mean(), metric.value, rtol=SAME_MEAN, atol=0)
        for x, metric in zip(samples, (before, after), strict=True)
    ):
        return mean(samples[1] - samples[0]), True
    error = np.hypot(*(of_a_share(reading).standard_error for reading in (before, after)))
    n = min(before.n, after.n)
    return Estimate(after.value - before.value, float(error), n), False


def another_seed(row: Row) -> Row:
    """Of a recipe that differs in its seeds alone: however far, it is neither better nor worse."""
    if row.verdict in (Verdict.WORSE, Verdict.BETTER, Verdict.DIFFERENT):
        return replace(row, verdict=Verdict.NO_EVIDENCE, note=ANOTHER_SEED)
    return row


def stale(row: Row) -> Row:
    """Of a number that is older than the code: it acquits of nothing."""
    kept = row.verdict in (Verdict.WORSE, Verdict.GONE, Verdict.NEW)
    return row if kept else replace(row, verdict=Verdict.STALE)


def failures(rows: Sequence[Row], headlines: bool) -> list[Row]:
    """What a gate does not let through: worse; stale or gone where that could hide a loss.

    Args:
        rows: every metric.
        headlines: all of them are headlines, of which none may go.
    """
    return [
        row
        for row in rows
        if row.verdict == Verdict.WORSE
        or (row.verdict in (Verdict.GONE, Verdict.STALE) and (headlines or direction(row.name)))
    ]
