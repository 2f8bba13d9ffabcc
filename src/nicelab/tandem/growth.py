"""How the variance of an estimator grows with the number of customers.

With V the relative variance of one path,

    log V = a + β log(1/I) + γ log N:

β = 1 is crude Monte Carlo, β = 0 a logarithmically efficient estimator, and with γ = 0 too the
relative error is bounded (Asmussen and Glynn, 2007, section VI.1).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nicelab.statistics import Estimate

CONVINCING = 3.0  # standard errors
EXPONENTIAL, POLYNOMIAL = 0.01, 0.05  # exponents below are rounding, or a curve that levels off
FEWEST = 4  # sizes, for three constants

NO_VARIANCE, BOUNDED, EFFICIENT, GROWING, INFINITE, UNKNOWN = (
    "no variance",
    "bounded",
    "logarithmically efficient",
    "exponential",
    "infinite",
    "unknown",
)


def grown(
    sizes: Sequence[int], log_i: np.ndarray, log_variance: np.ndarray, fit_from: int
) -> dict[str, Any]:
    """The verdict on one estimator, and the exponents β and γ where they can be fitted.

    Args:
        sizes: numbers N of customers.
        log_i: of the probabilities, (sizes,).
        log_variance: of the relative variances of a path, (sizes,); −∞ and ∞ as they are.
        fit_from: the number of customers from which growth is fitted.
    """
    if np.isneginf(log_variance).all():
        return {"growth": NO_VARIANCE}
    if np.isposinf(log_variance).any():
        first = int(np.argmax(np.isposinf(log_variance)))
        return {"growth": INFINITE, "infinite_from": sizes[first]}
    fitted = np.array(sizes) >= fit_from
    if fitted.sum() < FEWEST or not np.isfinite(log_variance[fitted]).all():
        return {"growth": UNKNOWN}
    points = np.array(sizes)[fitted], log_i[fitted], log_variance[fitted]
    exponential, polynomial = _exponents(*points)
    growth = BOUNDED
    if _above(exponential, EXPONENTIAL):
        growth = GROWING
    elif _above(polynomial, POLYNOMIAL):
        growth = EFFICIENT
    return {"growth": growth, "exponential": exponential, "polynomial": polynomial}


def _above(exponent: Estimate, least: float) -> bool:
    return exponent.value > max(least, CONVINCING * exponent.standard_error)


def _exponents(sizes: np.ndarray, log_i: np.ndarray, y: np.ndarray) -> tuple[Estimate, Estimate]:
    """β and γ by least squares; their errors are those of the fit, since V is exact."""
    design = np.stack([np.ones(len(sizes)), -log_i, np.log(sizes)], 1)
    found = np.linalg.lstsq(design, y, rcond=None)[0]
    spread = ((y - design @ found) ** 2).sum() / (len(y) - design.shape[1])
    errors = np.sqrt(spread * np.diag(np.linalg.inv(design.T @ design)))
    beta, gamma = (Estimate(float(found[k]), float(errors[k]), len(y)) for k in (1, 2))
    return beta, gamma
