import pytest
import torch

from nicelab.gradients import objective
from nicelab.gradients.descent import (
    basins,
    descend,
    expected_gradient,
    nearest,
    noisy_gradient,
)
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.objective import F
from nicelab.streams import generator

START = torch.zeros(2, dtype=torch.float64)
AWAY = [(0.3, 0.7), (0.44, 0.6), (1.37, 1.96), (-0.5, 0.6), (2.0, 0.4), (0.0, 1.2)]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("score", (0.323835, 0.787019)),
        ("pathwise", (0.323835, 0.787019)),
        ("score_as_printed", (0.327191, 0.827888)),
        ("pathwise_as_printed", (0.321440, 0.756000)),
    ],
)
def test_expected_ends_after_500_steps(name: str, end: tuple[float, float]) -> None:
    path = descend(lambda p: expected_gradient(name, p), START, 1e-3, 500)
    assert (float(path[-1, 0]), float(path[-1, 1].exp())) == pytest.approx(end, abs=1e-6)


@pytest.mark.parametrize("name", ["score_as_printed", "pathwise_as_printed", "score"])
@pytest.mark.parametrize(("mu", "sigma"), AWAY)
def test_what_each_estimates_is_known(name: str, mu: float, sigma: float) -> None:
    """The mean of 100 000 samples within 4 standard errors."""
    point = torch.tensor([mu, sigma], dtype=torch.float64)
    point[1] = point[1].log()
    samples = ESTIMATORS[name](F, point, 100_000, generator(0, name))
    expected = expected_gradient(name, point) - objective.deterministic_gradient(point)
    error = samples.std(0) / 100_000**0.5
    assert ((samples.mean(0) - expected).abs() < 4 * error).all()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_sgd_ends_where_expected(name: str) -> None:
    """Mean over 400 seeds within 4 standard errors; the drift that noise adds is smaller."""
    noisy = noisy_gradient(name, 16, generator(0, name))
    ends = descend(noisy, START.expand(400, 2), 1e-3, 500)[-1]
    expected = descend(lambda p: expected_gradient(name, p), START, 1e-3, 500)[-1]
    error = ends.std(0) / 400**0.5
    assert ((ends.mean(0) - expected).abs() < 4 * error + 1e-9).all()


def test_basins() -> None:
    minima = objective.minima(START)
    starts = torch.cat([START[None], minima + 0.01])
    assert basins(starts, minima, 0.05, 3000).tolist() == [1, 0, 1]
    assert nearest(minima, minima).tolist() == [0, 1]
