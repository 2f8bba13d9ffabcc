import math

import pytest
import torch

from nicelab.gradients.quadrature import (
    gauss_hermite,
    maxwell,
    rayleigh,
    tanh_sinh,
    uniform,
    weighted_variance,
)

LIKE = torch.zeros((), dtype=torch.float64)


@pytest.mark.parametrize(
    ("rule", "mean", "square"),
    [
        (uniform, 1 / 2, 1 / 3),
        (tanh_sinh, 1 / 2, 1 / 3),
        (maxwell, math.sqrt(8 / math.pi), 3),
        (rayleigh, math.sqrt(math.pi / 2), 2),
    ],
)
def test_first_moments(rule: object, mean: float, square: float) -> None:
    y, weights = rule(LIKE)
    assert float(weights.sum()) == pytest.approx(1)
    assert float((weights * y).sum()) == pytest.approx(mean)
    assert float((weights * y**2).sum()) == pytest.approx(square)


def test_singularities_at_both_ends() -> None:
    """The means of log u and of log(1 − u) are −1; Gauss-Legendre's are not."""
    for rule, close in ((tanh_sinh, True), (uniform, False)):
        u, weights = rule(LIKE)
        for distance in (u, 1 - u):
            inside = distance > 0
            found = float((weights[inside] * distance[inside].log()).sum())
            assert (abs(found + 1) < 1e-10) == close


def test_normal_moments_are_exact_up_to_twice_the_nodes() -> None:
    """E[Y^2k] = (2k − 1)!!, by four nodes up to Y⁶ and not beyond."""
    y, weights = gauss_hermite(4, LIKE)
    moments = [float((weights * y[:, 0] ** k).sum()) for k in (0, 2, 4, 6, 8)]
    assert moments[:4] == pytest.approx([1, 1, 3, 15])
    assert moments[4] != pytest.approx(105, rel=0.1)


def test_weighted_variance_by_hand() -> None:
    values = torch.tensor([[1.0], [2.0], [5.0]], dtype=torch.float64)
    weights = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    assert weighted_variance(values, weights).tolist() == [2.6875]
