"""What the errors and the work of the estimators amount to: what figures and the report state."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nicelab.statistics import Estimate, difference

GOAL = 0.01  # relative error for which the plays of all estimators are compared
CONVINCING = 3.0  # standard errors
# From the least that a proposal may look at to the most; all by the cross-entropy method.
NESTED = ("cross_entropy", "cross_entropy_by_play", "learned")

Methods = Mapping[str, Mapping[str, Any]]


def plays_needed(method: Mapping[str, Any], error: float = GOAL) -> Estimate:
    """Plays for a relative error: what learning took, and work / error²."""
    playing = method["work"].scaled(error**-2)
    learning = method.get("learning", 0)
    return Estimate(playing.value + learning, playing.standard_error, playing.n)


def pays_off_below(learned: Estimate, learning: int, rival: Estimate) -> Estimate | None:
    """The relative error ε at which learning is paid for, if it ever is.

    Total plays are L + W / ε² for the learned proposal and W' / ε² for its rival, so they are
    the same at ε = √((W' − W) / L), and below it the learned one needs fewer. The standard error
    is by the delta method.

    Args:
        learned: W, relative variance times plays of a path.
        learning: L, plays that it was learned from.
        rival: W' of a proposal that needs no learning.
    """
    gain = difference(rival, learned).scaled(1 / learning)
    if not gain.value > 0:
        return None
    error = gain.value**0.5
    return Estimate(error, gain.standard_error / (2 * error), gain.n)


def less_with_each(methods: Methods, names: Sequence[str] = NESTED) -> bool:
    """Whether each of these proposals has a smaller exact error than the one before it."""
    errors = [methods[name]["exact_relative_error"].value for name in names]
    return all(after < before for before, after in pairwise(errors))


def better(one: Estimate, other: Estimate) -> bool | None:
    """Whether the first estimate is the smaller one; None where their errors leave it open."""
    less = difference(one, other)
    if abs(less.value) <= CONVINCING * less.standard_error:
        return None
    return less.value < 0


def more_hits_with_less_error(methods: Methods) -> bool:
    """Whether, from proposal to proposal, more paths hit wherever the exact error is smaller."""
    known = [found for found in methods.values() if "hits" in found]
    known.sort(key=lambda found: -found["exact_relative_error"].value)
    return bool(np.all(np.diff([found["hits"] for found in known]) >= 0))
