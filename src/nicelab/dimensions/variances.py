"""Exact variances for f(x) = Σ g(x_i) at a point whose components are all alike.

With s the score of one component, c = E[g s], m = E g, v = Var g, and the sum over the other
components of mean (d − 1) m and variance (d − 1) v, independent of it, all are integrals over one
number. Each function returns the variance of the mean over a batch, summed over the 2d components,
times the batch.
"""

from torch import Tensor

from nicelab.dimensions.objectives import Separable
from nicelab.gradients import family
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.quadrature import NODES, gauss_hermite


def of_score(f: Separable, batch: int) -> Tensor:
    """Σ E[f² s²] − c² over components; a batch's terms are independent.

    E[f² s²] = E[g² s²] + 2 (d − 1) m E[g s²] + E[(Σ others)²] E[s²].
    """
    g, s, weights = _values(f)
    others, m, v = f.dimensions - 1, _mean(g, weights), _variance(g, weights)
    squares = (
        _mean(g**2 * s**2, weights)
        + 2 * others * m * _mean(g * s**2, weights)
        + (others * v + (others * m) ** 2) * _mean(s**2, weights)
    )
    return f.dimensions * (squares - _mean(g * s, weights) ** 2).sum()


def of_leave_one_out(f: Separable, batch: int) -> Tensor:
    """V + (c² + Var f E[s²]) / (b − 1), with V that of (f − E f) s.

    The estimator is the U-statistic of ½ (f₁ − f₂)(s₁ − s₂) (Hoeffding, 1948, section 5).
    """
    g, s, weights = _values(f)
    v, c = _variance(g, weights), _mean(g * s, weights)
    centred, squares = g - _mean(g, weights), _mean(s**2, weights)
    alone = _mean(centred**2 * s**2, weights) + (f.dimensions - 1) * v * squares - c**2
    more = (c**2 + f.dimensions * v * squares) / (batch - 1)
    return f.dimensions * (alone + more).sum()


def of_pathwise(f: Separable, batch: int) -> Tensor:
    """That in one dimension, d times."""
    return f.dimensions * ESTIMATORS["pathwise"].variance(f.g, f.one, batch).sum()


def of_measure_valued(f: Separable, batch: int) -> Tensor:
    """That in one dimension, d times: the other components cancel."""
    return f.dimensions * ESTIMATORS["measure_valued"].variance(f.g, f.one, batch).sum()


def _values(f: Separable) -> tuple[Tensor, Tensor, Tensor]:
    """g, shape (1, n), s, (2, n), and weights, (n,), at the nodes of a quadrature."""
    y, weights = gauss_hermite(NODES, f.one)
    _, sigma, x = family.place(f.one, y[:, 0])
    return f.g.value(x)[None], family.score(sigma, y[:, 0]).mT, weights


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum(-1)


def _variance(values: Tensor, weights: Tensor) -> Tensor:
    return _mean((values - _mean(values, weights)[..., None]) ** 2, weights)
