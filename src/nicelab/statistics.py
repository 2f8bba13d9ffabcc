"""Estimates with their standard errors, in float64."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error, and how many samples it comes from.

    An exact quantity has `standard_error` 0 and `n` 1.
    """

    value: float
    standard_error: float
    n: int

    @classmethod
    def exact(cls, value: float) -> Self:
        """A number that is computed, not estimated."""
        return cls(float(value), 0.0, 1)

    def z_score(self, exact: float) -> float:
        """Distance from an exact value in standard errors."""
        return (self.value - exact) / self.standard_error


def mean(samples: ArrayLike) -> Estimate:
    """Sample mean of n independent samples (shape (n,)), with standard error sd / √n."""
    x = np.asarray(samples, dtype=np.float64)
    _require_two(x)
    return Estimate(float(x.mean()), float(x.std(ddof=1) / np.sqrt(x.size)), x.size)


def standard_deviation(samples: ArrayLike) -> Estimate:
    """Sample standard deviation of n samples, with its delta-method standard error.

    The influence of a sample on the standard deviation s is ((x − x̄)² − s²) / 2s.
    """
    x = np.asarray(samples, dtype=np.float64)
    _require_two(x)
    s = x.std(ddof=1)
    influence = ((x - x.mean()) ** 2 - s**2) / (2 * s)
    return Estimate(float(s), float(influence.std(ddof=1) / np.sqrt(x.size)), x.size)


def relative_error(samples: ArrayLike) -> Estimate:
    """Relative error r = s / (√n x̄) of the mean of n samples, with its own standard error.

    By the delta method: the influence of a sample on s / x̄ is
    (s / x̄) · [((x − x̄)² − s²) / 2s² − (x − x̄) / x̄].

    Raises:
        ValueError: the mean is zero, so that no relative error exists.
    """
    x = np.asarray(samples, dtype=np.float64)
    _require_two(x)
    centre, s, root_n = x.mean(), x.std(ddof=1), np.sqrt(x.size)
    if centre == 0:
        raise ValueError("the samples have mean zero: no relative error exists")
    deviation = x - centre
    influence = s / centre * ((deviation**2 - s**2) / (2 * s**2) - deviation / centre)
    return Estimate(float(s / centre / root_n), float(influence.std(ddof=1) / x.size), x.size)


def _require_two(x: np.ndarray) -> None:
    if x.ndim != 1 or x.size < 2:
        raise ValueError(f"expected at least 2 samples in one dimension, got shape {x.shape}")
