import torch
from torch.func import grad, vmap

from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.family import Function
from nicelab.gradients.surrogates import series, slope
from nicelab.streams import generator


def test_surrogates_of_a_quadratic_leave_no_variance() -> None:
    """f(x) = x² + 3x is its own Taylor polynomial: E f = μ² + σ² + 3μ."""
    square = Function(lambda x: x**2 + 3 * x, lambda x: 2 * x + 3, lambda x: torch.full_like(x, 2))
    point = torch.tensor([0.3, 0.7], dtype=torch.float64)
    point[1] = point[1].log()
    exact = torch.tensor([2 * 0.3 + 3, 2 * 0.7**2], dtype=torch.float64)
    for name in ("score_taylor_2", "score_hermite_2", "pathwise_taylor_2", "pathwise_hermite_2"):
        found = ESTIMATORS[name](square, point, 6, generator(1))
        torch.testing.assert_close(found, exact.expand(6, 2))


def test_series() -> None:
    y = torch.linspace(-2, 2, 5, dtype=torch.float64)
    c = torch.tensor([1.0, 2, 3, 4], dtype=torch.float64)
    exact = 1 + 2 * y + 3 * (y**2 - 1) + 4 * (y**3 - 3 * y)
    torch.testing.assert_close(series(c, y), exact)


def test_slope_is_the_derivative_of_the_series() -> None:
    y = torch.linspace(-2, 2, 5, dtype=torch.float64)
    c = torch.tensor([1.0, 2, 3, 4], dtype=torch.float64)
    exact = vmap(grad(lambda v: series(c, v[None])[0]))(y)
    torch.testing.assert_close(slope(c, y), exact)
