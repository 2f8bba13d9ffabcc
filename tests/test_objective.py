import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermegauss
from torch.func import grad, jacrev, vmap

from nicelab.gradients import objective

POINTS = torch.tensor(
    [[0.0, 0.0], [0.3, -0.5], [1.4, 0.7], [-2.0, 0.3], [3.0, -1.0]], dtype=torch.float64
)


def test_expectation_is_that_of_quadrature() -> None:
    y, weights = hermegauss(80)
    for mu, tau in POINTS.numpy():
        x = mu + np.exp(tau) * y
        exact = (weights * x * np.sin(x)).sum() / np.sqrt(2 * np.pi)
        assert float(objective.expectation(torch.tensor([mu, tau]))) == pytest.approx(exact)


def test_gradient_is_that_of_autograd() -> None:
    exact = vmap(grad(objective.value))(POINTS)
    torch.testing.assert_close(objective.gradient(POINTS), exact, rtol=1e-12, atol=1e-12)


def test_hessian_is_that_of_autograd() -> None:
    exact = vmap(jacrev(objective.gradient))(POINTS)
    torch.testing.assert_close(objective.hessian(POINTS), exact, rtol=1e-12, atol=1e-12)


def test_gradient_at_the_start() -> None:
    assert objective.gradient(POINTS[0]).tolist() == pytest.approx([-1, np.exp(-0.5)])


def test_stationary_points() -> None:
    found = objective.stationary_points()
    assert [s.kind for s in found] == ["minimum", "minimum", "saddle"]
    expected = [
        (1.366699, 1.962198, 1.66440076),
        (0.442297, 0.606495, 1.69616824),
        (0.862958, 1.174332, None),
    ]
    for point, (mu, sigma, loss) in zip(found, expected, strict=True):
        assert (point.mu, point.sigma) == pytest.approx((mu, sigma), abs=5e-7)
        assert loss is None or point.loss == pytest.approx(loss, abs=5e-9)


def test_minima_are_points_where_the_gradient_vanishes() -> None:
    minima = objective.minima(POINTS)
    assert objective.gradient(minima).abs().max() < 1e-10
    assert objective.value(minima).tolist() == pytest.approx([1.66440076, 1.69616824], abs=5e-9)
