"""Estimates with their standard errors, in float64."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

NORMAL_95 = 1.96  # standard errors to either end of a normal 95 % interval


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

    @property
    def margin(self) -> float:
        """Half the width of the normal 95 % interval."""
        return NORMAL_95 * self.standard_error

    def interval(self) -> tuple[float, float]:
        """Ends of the normal 95 % interval."""
        return self.value - self.margin, self.value + self.margin

    def scaled(self, factor: float) -> "Estimate":
        """The same quantity in another unit."""
        return Estimate(factor * self.value, abs(factor) * self.standard_error, self.n)


def mean(samples: ArrayLike) -> Estimate:
    """Sample mean of n independent samples (shape (n,)), with standard error sd / √n."""
    x = np.asarray(samples, dtype=np.float64)
    _require_two(x)
    return Estimate(float(x.mean()), float(x.std(ddof=1) / np.sqrt(x.size)), x.size)


def of_a_share(reading: Estimate) -> Estimate:
    """The same; where all n samples of a share agree, with Laplace's error, 1/(n + 2)."""
    if reading.standard_error or reading.n == 1 or reading.value not in (0, 1):
        return reading
    return Estimate(reading.value, 1 / (reading.n + 2), reading.n)


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


def running_means(
    samples: ArrayLike, first: int = 10, points: int = 200
) -> tuple[np.ndarray, list[Estimate]]:
    """Means of the first n samples, for up to so many n from `first` on, evenly on a log scale.

    Returns:
        The numbers n, increasing, and for each the mean with its standard error.
    """
    x = np.asarray(samples, dtype=np.float64)
    n = np.unique(np.geomspace(min(first, len(x)), len(x), points).astype(int))
    means, squares = (np.cumsum(x**power)[n - 1] / n for power in (1, 2))
    errors = np.sqrt(np.maximum(squares - means**2, 0) / (n - 1))
    return n, [
        Estimate(*map(float, pair), int(k)) for *pair, k in zip(means, errors, n, strict=True)
    ]


def middle_and_tails(samples: ArrayLike, axis: int | None = None) -> np.ndarray:
    """The 5 %, 50 % and 95 % quantiles along an axis, or of all; the first axis has length 3."""
    return np.percentile(samples, [5, 50, 95], axis=axis)


def _require_two(x: np.ndarray) -> None:
    if x.ndim != 1 or x.size < 2:
        raise ValueError(f"expected at least 2 samples in one dimension, got shape {x.shape}")


def difference(one: Estimate, other: Estimate) -> Estimate:
    """The first less the second, which is independent of it; n is the smaller one."""
    error = float(np.hypot(one.standard_error, other.standard_error))
    return Estimate(one.value - other.value, error, min(one.n, other.n))


def margins(standard_errors: ArrayLike) -> np.ndarray:
    """Half the widths of normal 95 % intervals."""
    return NORMAL_95 * np.asarray(standard_errors, dtype=np.float64)
