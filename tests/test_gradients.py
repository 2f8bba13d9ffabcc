import pytest
import torch

from nicelab import objective
from nicelab.device import generator
from nicelab.elbo import Elbo
from nicelab.gradients import (
    ESTIMATORS,
    Gradients,
    Point,
    as_tensor,
    descend,
    expected_gradient,
    sgd,
    study,
)

RIGHT, FAULTY = ("score", "pathwise"), ("score_as_printed", "pathwise_as_printed")
AWAY = [(0.3, 0.7), (0.44, 0.6), (1.37, 1.96), (-0.5, 0.6), (2.0, 0.4), (0.0, 1.2)]
N = 100_000
CONFIG = Gradients(
    start=Point(mu=0.0, sigma=1.0),
    learning_rate=1e-3,
    batch=16,
    steps=500,
    seeds=400,
    bias_at=Point(mu=0.3, sigma=0.7),
    bias_samples=50_000,
    seed=0,
    elbo=Elbo(x=[1.0], mean=[0.0], log_scale=[0.0], samples=1000),
)


def z_scores(name: str, mu: float, sigma: float, target: torch.Tensor | None = None) -> float:
    """Largest distance of the mean gradient from the exact one, in standard errors."""
    point = as_tensor(Point(mu=mu, sigma=sigma))
    y = torch.randn(N, generator=generator(0, name), dtype=torch.float64)
    samples = ESTIMATORS[name](point, y)
    assert samples.shape == (N, 2)
    exact = objective.expectation_gradient(point) if target is None else target
    return float(((samples.mean(0) - exact) / (samples.std(0) / N**0.5)).abs().max())


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize(("mu", "sigma"), [*AWAY, (0.0, 1.0)])
def test_unbiased_within_4_standard_errors(name: str, mu: float, sigma: float) -> None:
    assert z_scores(name, mu, sigma) < 4


@pytest.mark.parametrize("name", FAULTY)
@pytest.mark.parametrize(("mu", "sigma"), AWAY)
def test_the_faults_fail_that_test_away_from_sigma_1(name: str, mu: float, sigma: float) -> None:
    assert z_scores(name, mu, sigma) > 4


@pytest.mark.parametrize("name", FAULTY)
def test_the_faults_hide_at_sigma_1(name: str) -> None:
    assert z_scores(name, 0.5, 1.0) < 4


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(("mu", "sigma"), AWAY)
def test_what_each_estimates_is_known(name: str, mu: float, sigma: float) -> None:
    point = as_tensor(Point(mu=mu, sigma=sigma))
    expected = expected_gradient(name, point) - objective.deterministic_gradient(point)
    assert z_scores(name, mu, sigma, expected) < 4


def test_pathwise_is_that_of_autograd() -> None:
    y = torch.randn(5, generator=generator(0), dtype=torch.float64)
    point = as_tensor(Point(mu=0.3, sigma=0.7))

    def f(point: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        x = point[0] + point[1].exp() * y
        return x * x.sin()

    exact = torch.func.vmap(torch.func.grad(f), (None, 0))(point, y)
    torch.testing.assert_close(ESTIMATORS["pathwise"](point, y), exact)


def test_score_is_that_of_autograd() -> None:
    y = torch.randn(5, generator=generator(0), dtype=torch.float64)
    point = as_tensor(Point(mu=0.3, sigma=0.7))
    x = point[0] + point[1].exp() * y

    def log_density(point: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return -((x - point[0]) ** 2) / (2 * (2 * point[1]).exp()) - point[1]

    score = torch.func.vmap(torch.func.grad(log_density), (None, 0))(point, x)
    exact = (x * x.sin())[:, None] * score
    torch.testing.assert_close(ESTIMATORS["score"](point, y), exact)


@pytest.mark.parametrize(
    ("name", "variances"),
    [("score", (1.8383, 3.4141)), ("pathwise", (1.0, 1.2261))],
)
def test_per_sample_variance_at_the_start(name: str, variances: tuple[float, float]) -> None:
    """Against the closed forms, within 4 standard errors of a sample variance."""
    y = torch.randn(N, generator=generator(3), dtype=torch.float64)
    samples = ESTIMATORS[name](as_tensor(CONFIG.start), y)
    squares = (samples - samples.mean(0)) ** 2
    error = squares.std(0) / N**0.5
    assert ((squares.mean(0) - torch.tensor(variances)).abs() < 4 * error + 5e-5).all()


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
    path = descend(lambda p: expected_gradient(name, p), as_tensor(CONFIG.start), 1e-3, 500)
    assert (float(path[-1, 0]), float(path[-1, 1].exp())) == pytest.approx(end, abs=1e-6)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_sgd_ends_where_expected(name: str) -> None:
    """Mean over 400 seeds within 4 standard errors; the drift that noise adds is smaller."""
    ends = sgd(name, CONFIG, generator(0, name))[-1]
    expected = descend(lambda p: expected_gradient(name, p), as_tensor(CONFIG.start), 1e-3, 500)
    error = ends.std(0) / len(ends) ** 0.5
    assert ((ends.mean(0) - expected[-1]).abs() < 4 * error).all()


def test_study() -> None:
    config = CONFIG.model_copy(update={"seeds": 50, "steps": 40, "bias_samples": 1000})
    curves, metrics = study(config)
    assert curves["score_band"].shape == (3, 41, 2)
    assert curves["pathwise_ends"].shape == (50, 2)
    assert set(metrics["sgd"]) == set(ESTIMATORS)
    assert metrics["exact"]["minima"]["local"]["sigma"].value == pytest.approx(0.606495, abs=1e-6)
    printed = metrics["sgd"]["score"]["printed"]["sigma"]
    run = metrics["sgd"]["score"]
    z = (0.83221 - run["sigma"].value) / run["spread"]["sigma"].value
    assert printed["z_score"] == pytest.approx(z)


def test_a_negative_deviation_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Point(mu=0.0, sigma=-1.0)
