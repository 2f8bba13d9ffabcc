"""What the scores of inpainting amount to: counts and means that figures and report state."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def masks_with_a_gain(masks: Mapping[str, Any]) -> int:
    """Masks behind which a rule ends likelier than the originals, by the 95 % interval."""
    return sum(mask["log_likelihood_less_truth"].interval()[0] > 0 for mask in masks.values())


def masks_nearer(masks: Mapping[str, Any], method: str, reference: str) -> int:
    """Masks behind which a method's squared error is the smaller one, by the 95 % interval."""
    less = f"squared_error_less_{reference}"
    return sum(mask["methods"][method][less].interval()[1] < 0 for mask in masks.values())


def share_converged(starts: Mapping[str, Any]) -> float:
    """Mean share of ascents that became stationary, over starts and masks."""
    masks = [mask for found in starts.values() for mask in found.values()]
    return float(np.mean([mask["share_converged"].value for mask in masks]))


def least_error(methods: Mapping[str, Any]) -> str:
    """The method with the least squared error over all masks."""
    return min(methods, key=lambda name: methods[name]["squared_error"].value)
