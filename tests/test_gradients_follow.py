"""The mathematics follows its inputs' dtype and device.

There need not be a GPU to see it: where "meta" is the default device, a tensor that is made
without a device has no numbers; and where the point is "meta", one that has numbers does not fit.
"""

import pytest
import torch

from nicelab.gradients import elbo, objective
from nicelab.gradients.elbo import Elbo
from nicelab.gradients.estimators import ESTIMATORS, Estimator
from nicelab.gradients.family import Function
from nicelab.gradients.objective import F
from nicelab.gradients.quadrature import (
    NODES,
    gauss_hermite,
    maxwell,
    rayleigh,
    tanh_sinh,
    uniform,
)
from nicelab.streams import generator

POINT = torch.tensor([[0.3, -0.4], [0.0, 0.0]], dtype=torch.float64)
ELBO = Elbo(x=[1.0, -2.0], mean=[0.0, -0.5], log_scale=[0.2, -0.5], samples=50)
RULES = {
    "gauss_hermite": lambda like: gauss_hermite(NODES, like),
    "uniform": uniform,
    "tanh_sinh": tanh_sinh,
    "maxwell": maxwell,
    "rayleigh": rayleigh,
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_nothing_is_made_on_the_default_device(name: str) -> None:
    estimator = ESTIMATORS[name]
    expected = estimator(F, POINT, 8, generator(0)), estimator.variance(F, POINT, 8)
    with torch.device("meta"):
        found = estimator(F, POINT, 8, generator(0)), estimator.variance(F, POINT, 8)
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_nodes_are_where_the_point_is(name: str) -> None:
    estimator, there = ESTIMATORS[name], POINT.to("meta")
    noise = torch.empty(2, 8, estimator.dimensions, dtype=torch.float64, device="meta")
    for found in (estimator.variance(F, there, 8), estimator.terms(F, there, noise)):
        assert found.device.type == "meta"


@pytest.mark.parametrize("name", ESTIMATORS)
def test_single_precision_stays_single(name: str) -> None:
    """And finds the same variance, but for rounding."""
    estimator = ESTIMATORS[name]
    gradient = estimator(F, POINT.float(), 8, generator(0))
    variance, exact = (estimator.variance(F, p, 8) for p in (POINT.float(), POINT))
    assert gradient.dtype == variance.dtype == torch.float32
    torch.testing.assert_close(variance, exact.float(), rtol=2e-3, atol=1e-4)


def with_a_tensor_of_its_own(f: Function, point: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return f.value(point[..., :1] + y) * torch.ones(2, dtype=torch.float64)


def from_an_array(f: Function, point: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return f.value(point[..., :1] + y) * torch.from_numpy(POINT.numpy()[0])


def test_what_does_not_follow_is_caught() -> None:
    wrong = Estimator("wrong", with_a_tensor_of_its_own, 1)
    with torch.device("meta"), pytest.raises(RuntimeError, match="meta"):
        wrong(F, POINT[0], 8, generator(0))
    with pytest.raises(RuntimeError, match="meta"):
        Estimator("wrong", from_an_array, 1).variance(F, POINT[0].to("meta"), 8)


@pytest.mark.parametrize("name", RULES)
def test_rules_follow(name: str) -> None:
    rule = RULES[name]
    exact = rule(POINT)
    for like in (POINT.float(), POINT.to("meta")):
        for found, expected in zip(rule(like), exact, strict=True):
            assert (found.dtype, found.device) == (like.dtype, like.device)
            if not found.is_meta:
                torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=1e-6)


def test_minima_follow() -> None:
    assert objective.minima(POINT.to("meta")).is_meta
    assert objective.minima(POINT.float()).dtype == torch.float32


def test_the_elbo_makes_nothing_on_the_default_device() -> None:
    expected = elbo.measure(ELBO, 0)
    with torch.device("meta"):
        assert elbo.measure(ELBO, 0) == expected


@pytest.mark.parametrize("name", elbo.ESTIMATORS)
def test_the_elbo_follows(name: str) -> None:
    for like in (POINT.float(), POINT.to("meta")):
        found = elbo.ESTIMATORS[name].terms(like, like[0], elbo.sample(like, like))
        assert (found.dtype, found.device) == (like.dtype, like.device)
