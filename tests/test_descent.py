from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy.linalg import solve_continuous_lyapunov

from nicelab.gradients import objective
from nicelab.gradients.descent import (
    as_sigma,
    basins,
    descend,
    expected_gradient,
    nearest,
    noisy_gradient,
    settle,
)
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.floor import Floor, covariance, floor, stationary
from nicelab.gradients.objective import F
from nicelab.statistics import mean, standard_deviation
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


RATE, BATCH, SEEDS = 0.02, 16, 1000

Settled = tuple[str, np.ndarray, np.ndarray]


@pytest.fixture(scope="module", params=["score", "score_as_printed"])
def settled(request: pytest.FixtureRequest) -> Settled:
    """An estimator, and (μ, σ) of 1000 runs: after the last step, and their later means."""
    name = request.param
    noisy = noisy_gradient(name, BATCH, generator(0, "settle", name))
    ends, means = settle(noisy, START.expand(SEEDS, 2), RATE, 4000)
    return name, as_sigma(ends).numpy(), means.numpy()


def floor_of(name: str, batch: int = BATCH) -> Floor:
    return floor(name, torch.tensor([0.44, -0.5], dtype=torch.float64), RATE, batch)


def off(settled: Settled, theory: Floor) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors by which means and deviations of (μ, σ) are off."""
    _, ends, means = settled
    places = zip(means.T, theory.fixed + theory.shift, strict=True)
    spreads = zip(ends.T, theory.deviation, strict=True)
    shift = [mean(x).z_score(at) for x, at in places]
    spread = [standard_deviation(x).z_score(at) for x, at in spreads]
    return np.abs(shift), np.abs(spread)


def test_where_descent_with_noise_settles(settled: Settled) -> None:
    """Means and deviations within 4 standard errors; the fixed point itself is not where."""
    theory = floor_of(settled[0])
    shift, spread = off(settled, theory)
    assert (shift < 4).all()
    assert (spread < 4).all()
    assert off(settled, replace(theory, shift=np.zeros(2)))[0].max() > 4


def test_wrong_floors_are_found(settled: Settled) -> None:
    """Twice the batch, and a shift without its ½."""
    theory = floor_of(settled[0])
    assert off(settled, floor_of(settled[0], batch=2 * BATCH))[1].max() > 4
    assert off(settled, replace(theory, shift=2 * theory.shift))[0].max() > 4


@pytest.mark.parametrize("name", ["score", "pathwise", "pathwise_as_printed"])
def test_the_shift_undoes_what_the_noise_does_to_the_mean_gradient(name: str) -> None:
    """Over points spread as S around the shifted mean, the expected gradient is 0 to first order.

    By Gauss-Hermite quadrature in two dimensions; 50 times less of it is left than without.
    """
    found = floor(name, torch.tensor([0.44, -0.5], dtype=torch.float64), 1e-3, BATCH)
    mu, sigma = found.fixed
    theta = torch.tensor([mu, np.log(sigma)], dtype=torch.float64)
    slope = torch.func.jacrev(partial(expected_gradient, name))(theta).numpy()
    spread = stationary(slope, covariance(name, theta, BATCH) / BATCH, 1e-3)
    shift = np.array([found.shift[0], found.shift[1] / sigma - spread[1, 1] / 2])
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    both = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2) @ np.linalg.cholesky(spread).T
    share = np.outer(weights, weights).ravel() / weights.sum() ** 2

    def left(centre: np.ndarray) -> float:
        points = torch.from_numpy(theta.numpy() + centre + both)
        gradient = torch.stack([expected_gradient(name, x) for x in points]).numpy()
        return float(np.abs(share @ gradient).max())

    assert left(shift) < left(np.zeros(2)) / 50


@pytest.mark.parametrize("name", ["score", "pathwise", "score_as_printed"])
def test_the_floor_of_small_steps_solves_the_continuous_equation(name: str) -> None:
    """J S + S Jᵀ = η C, to first order in η; the fixed point is where expected descent ends."""
    near = descend(partial(expected_gradient, name), START, 0.01, 20_000)[-1]
    found = floor(name, near, 1e-4, 16)
    assert found.fixed == pytest.approx(as_sigma(near).numpy(), abs=1e-9)
    slope = torch.func.jacrev(partial(expected_gradient, name))(near).numpy()
    spread = solve_continuous_lyapunov(slope, 1e-4 * covariance(name, near, 16) / 16)
    expected = np.sqrt(np.diag(spread)) * [1, found.fixed[1]]
    assert found.deviation == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", ["score", "score_as_printed", "pathwise", "pathwise_antithetic"])
def test_the_covariance_is_that_of_batches(name: str) -> None:
    """Exact variances; each entry of 20 000 batches' within 4 standard errors."""
    point, estimator = START + 0.2, ESTIMATORS[name]
    exact = covariance(name, point, 16)
    assert np.diag(exact) == pytest.approx(estimator.variance(F, point, 16).numpy())
    means = estimator(F, point.expand(20_000, 2), 16, generator(0, "covariance", name)).mean(-2)
    centred = (means - means.mean(0)).numpy()
    for i, j in ((0, 0), (0, 1), (1, 1)):
        assert abs(mean(16 * centred[:, i] * centred[:, j]).z_score(exact[i, j])) < 4


def test_a_covariance_that_quadrature_does_not_give_is_refused() -> None:
    with pytest.raises(ValueError, match="the covariance of measure_valued is not known"):
        covariance("measure_valued", START, 16)


def test_settling_averages_the_second_half() -> None:
    ends, settled = settle(torch.ones_like, START, 1.0, 5)  # −1, −2, −3, −4, −5 in μ and τ
    assert ends.tolist() == [-5, -5]
    assert settled.tolist() == pytest.approx([-4, float(np.exp([-3.0, -4, -5]).mean())])


def test_the_sheets_order_of_updates_hardly_matters() -> None:
    """Its 6(a) moves μ before τ's gradient is taken about μ: −1.8·10⁻⁵ in σ, within 4 errors.

    Both orders with the same noise; the printed σ is 0.004 from the mean.
    """
    random, seeds, rate = generator(0, "order"), 2000, 1e-3
    at_once, in_turn = START.repeat(seeds, 1), START.repeat(seeds, 1)
    for _ in range(500):
        noise = torch.randn(seeds, 16, generator=random, dtype=torch.float64)
        at_once = _step(at_once, noise, rate, first=0.0)
        in_turn = _step(in_turn, noise, rate, first=1.0)
    less = mean(in_turn[:, 1].exp() - at_once[:, 1].exp())
    assert abs(less.z_score(-1.81e-5)) < 4
    assert less.z_score(0) < -4
    assert abs(mean(at_once[:, 1].exp()).z_score(0.827888)) < 4


def _step(point: torch.Tensor, noise: torch.Tensor, rate: float, first: float) -> torch.Tensor:
    """The sheet's update of 6(a), with its fault; τ's about the new μ where `first` is 1."""
    mu, sigma = point[:, :1], point[:, 1:].exp()
    x = mu + sigma * noise
    f = objective.f(x)
    by_mu = (f * (x - mu) / sigma**2).mean(1) + point[:, 0] - 1
    centre = mu - first * rate * by_mu[:, None]
    by_tau = (f * ((x - centre) ** 2 / sigma - 1)).mean(1) + sigma[:, 0] - 1
    return point - rate * torch.stack([by_mu, by_tau], dim=-1)
