"""Estimates over repetitions, which are all alike where nothing is random."""

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from nicelab.statistics import Estimate, mean, standard_deviation


def mean_of(samples: ArrayLike) -> Estimate:
    """Mean over independent repetitions, exact where nothing is random."""
    return Estimate.exact(samples[0]) if _alike(samples) else mean(samples)


def spread_of(samples: ArrayLike) -> Estimate:
    """Standard deviation over repetitions, exactly 0 where nothing is random."""
    return Estimate.exact(0.0) if _alike(samples) else standard_deviation(samples)


def z_score(errors: ArrayLike) -> float:
    """Of the mean error from 0; 0 where nothing is random, so that there is nothing to test."""
    return 0.0 if _alike(errors, to=1e-12) else mean(errors).z_score(0.0)


def variances_of(means: Tensor) -> Tensor:
    """Squared distances (n, k) of n means from their own mean: samples of their variance."""
    return (means - means.mean(0)) ** 2


def _alike(samples: ArrayLike, to: float = 0.0) -> bool:
    return bool(np.ptp(np.asarray(samples)) <= to)
