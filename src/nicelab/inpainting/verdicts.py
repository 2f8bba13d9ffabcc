"""What the scores of inpainting amount to: counts and means that figures and report state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

LEVEL = 0.05  # of the test over all masks


def masks_with_a_gain(masks: Mapping[str, Any]) -> int:
    """Masks behind which a rule ends likelier than the originals, by the 95 % interval."""
    return sum(mask["log_likelihood_less_truth"].interval()[0] > 0 for mask in masks.values())


@dataclass(frozen=True)
class Contest:
    """Behind how many masks a method is nearer to the truth than another, farther, or neither.

    By a two-sided normal test of the paired differences over images, at 5 % for all masks together
    (Holm, 1979).
    """

    nearer: int
    farther: int
    undecided: int


def contest(masks: Mapping[str, Any], method: str, reference: str) -> Contest:
    """The squared errors of a method beside those of another."""
    less = [mask["methods"][method][f"squared_error_less_{reference}"] for mask in masks.values()]
    z = np.array([difference.z_score(0) for difference in less])
    order = np.argsort(-np.abs(z))
    limits = norm.isf(LEVEL / 2 / np.arange(len(z), 0, -1))
    sure = np.cumprod(np.abs(z[order]) > limits).astype(bool)
    nearer, farther = (int((sign * z[order][sure] > 0).sum()) for sign in (-1, 1))
    return Contest(nearer, farther, len(z) - nearer - farther)


def accepted(posterior: Mapping[str, Any]) -> list[str]:
    """Masks whose long chains mix well enough that their draws may be called a posterior."""
    return [name for name, mask in posterior["masks"].items() if mask["accepted"]]


def share_converged(starts: Mapping[str, Any]) -> float:
    """Mean share of ascents that became stationary, over starts and masks."""
    masks = [mask for found in starts.values() for mask in found.values()]
    return float(np.mean([mask["share_converged"].value for mask in masks]))


def least_error(methods: Mapping[str, Any]) -> str:
    """The method with the least squared error over all masks."""
    return min(methods, key=lambda name: methods[name]["squared_error"].value)
