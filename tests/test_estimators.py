"""Every estimator of `ESTIMATORS` against exact gradients, exact variances and autograd."""

import math
from collections.abc import Callable

import pytest
import torch
from torch.func import grad, vmap

from nicelab.gradients import objective
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.family import Function
from nicelab.gradients.noise import Independent
from nicelab.gradients.objective import F
from nicelab.gradients.quadrature import gauss_hermite
from nicelab.gradients.terms import quadrature
from nicelab.streams import generator

UNBIASED = [name for name, estimator in ESTIMATORS.items() if estimator.unbiased]
FAULTY = ["score_as_printed", "pathwise_as_printed"]
AWAY = [(0.3, 0.7), (0.44, 0.6), (1.37, 1.96), (-0.5, 0.6), (2.0, 0.4), (0.0, 1.2)]
REPLICATES, BATCH = 20_000, 8
K = 4  # standard errors that a Monte Carlo test allows


def at(mu: float, sigma: float) -> torch.Tensor:
    """(μ, τ)."""
    return torch.tensor([mu, math.log(sigma)], dtype=torch.float64)


def batch_means(
    name: str, point: torch.Tensor, batch: int = BATCH, replicates: int = REPLICATES
) -> torch.Tensor:
    """Means over independent batches, shape (replicates, 2)."""
    many = point.expand(replicates, 2)
    return ESTIMATORS[name](F, many, batch, generator(0, name, batch)).mean(-2)


def z_scores(means: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    return (means.mean(0) - exact) / (means.std(0) / len(means) ** 0.5)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_evaluations_are_those_that_are_made(name: str) -> None:
    """Of f and its derivatives together, at every number that they are given."""
    made = []

    def counted(part: Callable[[torch.Tensor], torch.Tensor]) -> Callable:
        return lambda x: (made.append(x.numel()), part(x))[1]

    f = Function(counted(F.value), counted(F.derivative), counted(F.second))
    ESTIMATORS[name](f, at(0.3, 0.7), BATCH, generator(0))
    assert sum(made) == ESTIMATORS[name].evaluations(BATCH)


@pytest.mark.parametrize("name", UNBIASED)
@pytest.mark.parametrize(("mu", "sigma"), [*AWAY, (0.0, 1.0)])
def test_unbiased(name: str, mu: float, sigma: float) -> None:
    point = at(mu, sigma)
    means, exact = batch_means(name, point), objective.expectation_gradient(point)
    # A component without variance must be right to rounding.
    close = (means - exact).abs().amax(0) < 1e-12
    assert (close | (z_scores(means, exact).abs() < K)).all()


@pytest.mark.parametrize("name", FAULTY)
@pytest.mark.parametrize(("mu", "sigma"), AWAY)
def test_the_faults_fail_that_test_but_at_sigma_1(name: str, mu: float, sigma: float) -> None:
    point, start = at(mu, sigma), at(mu, 1.0)
    exact = [objective.expectation_gradient(p) for p in (point, start)]
    assert z_scores(batch_means(name, point), exact[0])[1].abs() > K
    assert z_scores(batch_means(name, start), exact[1]).abs().max() < K


@pytest.mark.parametrize("name", UNBIASED)
@pytest.mark.parametrize(("mu", "sigma"), AWAY)
def test_a_wrong_factor_fails_that_test_but_at_sigma_1(name: str, mu: float, sigma: float) -> None:
    """σ times the τ-component, as a slip of the pen would have it, is caught in each.

    From as many samples as put the expected z-score at 3 K.
    """
    point = at(mu, sigma)
    exact = objective.expectation_gradient(point)
    variance = float(ESTIMATORS[name].variance(F, point, BATCH)[1]) / BATCH
    needed = (3 * K * sigma / (float(exact[1]) * (sigma - 1))) ** 2 * variance
    assert needed < 2_000_000
    means = batch_means(name, point, replicates=max(100, int(needed)))
    assert z_scores(means * torch.tensor([1, sigma]), exact)[1].abs() > K


def exact_error(name: str, point: torch.Tensor, batch: int) -> torch.Tensor:
    """Standard error of the variance of REPLICATES means, from exact fourth moments.

    The sample's own is too small where the tail is heavy: f less a polynomial, times the score,
    squared, lives on numbers beyond 4.5 that hardly ever come. Zero where no quadrature knows it.
    """
    estimator = ESTIMATORS[name]
    if estimator.exact or not isinstance(estimator.noise, Independent):
        return torch.zeros(2, dtype=torch.float64)
    y, weights = gauss_hermite(200, point)
    terms = estimator.terms(F, point, y)
    centred = terms - (weights[:, None] * terms).sum(0)
    second, fourth = ((weights[:, None] * centred**k).sum(0) for k in (2, 4))
    of_mean = (fourth + 3 * (batch - 1) * second**2) / batch**3
    return ((of_mean - (second / batch) ** 2) / REPLICATES).sqrt()


@pytest.mark.parametrize("name", UNBIASED + FAULTY)
@pytest.mark.parametrize(("mu", "sigma"), AWAY)
@pytest.mark.parametrize("batch", [4, 16])
def test_exact_variance(name: str, mu: float, sigma: float, batch: int) -> None:
    """The sample variance of batch means, within K standard errors of a sample variance."""
    point = at(mu, sigma)
    means = batch_means(name, point, batch)
    exact = ESTIMATORS[name].variance(F, point, batch) / batch
    squares = (means - means.mean(0)) ** 2
    error = torch.maximum(squares.std(0) / REPLICATES**0.5, exact_error(name, point, batch))
    assert ((squares.mean(0) - exact).abs() <= K * error + 1e-15).all()


@pytest.mark.parametrize(
    ("name", "start", "local", "best"),
    [
        ("score", (1.8383, 3.4141), (2.5503, 2.8200), (1.6313, 19.630)),
        ("score_optimal_baseline", (0.3668, 1.7586), (0.6883, 0.6276), (1.5204, 19.549)),
        ("pathwise", (1.0000, 1.2261), (0.5890, 0.2433), (3.2311, 26.616)),
        ("measure_valued", (0, 0.4968), (0.0352, 0.1628), (0.4978, 7.244)),
    ],
)
def test_variances_of_the_oracles_sheet(
    name: str, start: tuple, local: tuple, best: tuple
) -> None:
    minima = [s for s in objective.stationary_points() if s.kind == "minimum"]
    points = [at(0.0, 1.0), *(at(m.mu, m.sigma) for m in reversed(minima))]
    for point, expected in zip(points, (start, local, best), strict=True):
        variance = ESTIMATORS[name].variance(F, point, 16)
        assert variance.tolist() == pytest.approx(expected, rel=3e-4, abs=5e-5)


def test_antithetic_pairs_double_the_variance_where_f_is_even() -> None:
    point = at(0.0, 1.0)
    single, pairs = (
        ESTIMATORS[n].variance(F, point, 16) for n in ("pathwise", "pathwise_antithetic")
    )
    assert float(pairs[1] / single[1]) == pytest.approx(2)
    assert float(pairs[0]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", UNBIASED)
def test_points_have_batches_of_their_own(name: str) -> None:
    points = at(0.3, 0.7).expand(3, 5, 2)
    found = ESTIMATORS[name](F, points, 8, generator(0))
    assert found.shape == (3, 5, 8, 2)
    assert len(found.mean(-2)[..., 1].unique()) == 15


def autograd(point: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    def path(point: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return objective.f(point[0] + point[1].exp() * y)

    def log_density(point: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return -((x - point[0]) ** 2) / (2 * (2 * point[1]).exp()) - point[1]

    x = point[0] + point[1].exp() * y
    scores = vmap(grad(log_density), (None, 0))(point, x)
    return objective.f(x)[:, None] * scores, vmap(grad(path), (None, 0))(point, y)


def test_score_and_pathwise_are_those_of_autograd() -> None:
    point, y = at(0.3, 0.7), torch.randn(5, generator=generator(0), dtype=torch.float64)
    for name, exact in zip(("score", "pathwise"), autograd(point, y), strict=True):
        torch.testing.assert_close(ESTIMATORS[name].terms(F, point, y[:, None]), exact)


def test_derivatives_of_f_are_those_of_autograd() -> None:
    x = torch.linspace(-5, 5, 11, dtype=torch.float64)
    torch.testing.assert_close(F.derivative(x), vmap(grad(F.value))(x))
    torch.testing.assert_close(F.second(x), vmap(grad(F.derivative))(x))


@pytest.mark.parametrize(("nodes", "error"), [(4, 0.1), (8, 1e-3), (16, 1e-9)])
def test_quadrature_converges(nodes: int, error: float) -> None:
    point = at(0.3, 0.7)
    found = quadrature(F, point, torch.zeros(nodes, 1, dtype=torch.float64)).mean(-2)
    assert float((found - objective.expectation_gradient(point)).abs().max()) < error


def test_impossible_batches() -> None:
    point = at(0.3, 0.7)
    with pytest.raises(ValueError, match="antithetic noise needs an even batch, got 5"):
        ESTIMATORS["score_antithetic"](F, point, 5, generator(0))
    with pytest.raises(ValueError, match="needs a batch that is a power of 2, got 6"):
        ESTIMATORS["pathwise_sobol"](F, point, 6, generator(0))


def test_labels_are_short_and_differ() -> None:
    labels = [estimator.label for estimator in ESTIMATORS.values()]
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) <= 34
