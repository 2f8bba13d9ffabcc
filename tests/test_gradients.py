import pytest
import torch

from nicelab.gradients.bernoulli import Bernoulli
from nicelab.gradients.elbo import Elbo
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.study import Gradients, LongRun, Map, Point, as_tensor, objective, study
from nicelab.statistics import Estimate

CONFIG = Gradients(
    start=Point(mu=0.0, sigma=1.0),
    learning_rate=1e-3,
    batch=8,
    steps=40,
    seeds=50,
    points=[Point(mu=0.3, sigma=0.7), Point(mu=0.0, sigma=1.0)],
    replicates=2000,
    batches=[4, 8, 16],
    long_run=LongRun(learning_rate=0.05, steps=400, seeds=20),
    map=Map(mu=[-1.0, 3.0], sigma=[0.2, 3.0], size=21),
    seed=0,
    elbo=Elbo(x=[1.0], mean=[0.0], log_scale=[0.0], samples=1000),
    bernoulli=Bernoulli(logits=[0.0], target=0.5, batch=4, replicates=100),
)


@pytest.fixture(scope="module")
def found() -> tuple[dict, dict]:
    return study(CONFIG)


def test_arrays_have_their_shapes(found: tuple[dict, dict]) -> None:
    arrays, _ = found
    count = len(ESTIMATORS)
    shapes = {
        "score_band": (3, 41, 2), "pathwise_ends": (50, 2), "score_expected": (41, 2),
        "map_loss": (21, 21), "map_basin": (21, 21), "map_variance_ratio": (21, 21),
        "z_scores": (2, count, 2), "work": (2, count), "batch_variances": (count, 3),
        "pathwise_long_ends": (20, 2),
    }  # fmt: skip
    assert {name: arrays[name].shape for name in shapes} == shapes


def test_the_map_is_the_objective_and_its_basins(found: tuple[dict, dict]) -> None:
    arrays, metrics = found
    point = as_tensor(Point(mu=float(arrays["map_mu"][3]), sigma=float(arrays["map_sigma"][7])))
    assert arrays["map_loss"][7, 3] == pytest.approx(float(objective.value(point)))
    for kind, basin in (("global", 0), ("local", 1)):
        minimum = metrics["exact"]["minima"][kind]
        column = abs(arrays["map_mu"] - minimum["mu"].value).argmin()
        row = abs(arrays["map_sigma"] - minimum["sigma"].value).argmin()
        assert arrays["map_basin"][row, column] == basin


def test_every_estimator_is_studied(found: tuple[dict, dict]) -> None:
    _, metrics = found
    assert set(metrics["sgd"]) == set(metrics["estimators"]) == set(ESTIMATORS)


def test_observed_variances_are_the_exact_ones(found: tuple[dict, dict]) -> None:
    """Within 4.5 standard errors, for some 90 comparisons at once."""
    _, metrics = found
    for name, points in metrics["estimators"].items():
        for at in points.values():
            for component in ("mu", "tau"):
                observed, exact = at["variance"][component], at["exact_variance"][component].value
                assert abs(observed.value - exact) <= 4.5 * observed.standard_error + 1e-12, name


def test_bias_is_found_where_it_is(found: tuple[dict, dict]) -> None:
    arrays, _ = found
    worst = dict(zip(arrays["names"], abs(arrays["z_scores"]).max(-1).T, strict=True))
    for name, estimator in ESTIMATORS.items():
        away, at_sigma_1 = worst[name]
        assert at_sigma_1 < 4
        if name != "quadrature":  # whose error at the batch's 8 nodes is real, and not random
            assert (away < 4) == estimator.unbiased


def test_slopes_of_independent_samples(found: tuple[dict, dict]) -> None:
    slopes = found[1]["batch_slopes"]
    for name in ("score", "pathwise", "pathwise_antithetic", "measure_valued"):
        assert slopes[name].value == pytest.approx(-1, abs=1e-9)
    assert slopes["pathwise_stratified"].value < -1.5
    assert "quadrature" not in slopes


def test_work_counts_evaluations(found: tuple[dict, dict]) -> None:
    at = found[1]["estimators"]["measure_valued"]["mu=0 sigma=1"]
    exact = at["exact_variance"]
    assert at["work"].value == pytest.approx(4 * (exact["mu"].value + exact["tau"].value))
    at = found[1]["estimators"]["score_taylor_1"]["mu=0 sigma=1"]
    exact = at["exact_variance"]
    expected = (1 + 2 / 8) * (exact["mu"].value + exact["tau"].value)
    assert at["work"].value == pytest.approx(expected)


def test_printed_numbers_are_placed_in_the_distribution(found: tuple[dict, dict]) -> None:
    run = found[1]["sgd"]["score"]
    z = (0.83221 - run["sigma"].value) / run["spread"]["sigma"].value
    assert run["printed"]["sigma"]["z_score"] == pytest.approx(z)
    assert found[1]["exact"]["minima"]["local"]["sigma"].value == pytest.approx(0.606495, abs=1e-6)


def test_without_noise_there_is_no_spread(found: tuple[dict, dict]) -> None:
    assert found[1]["sgd"]["quadrature"]["spread"]["mu"] == Estimate.exact(0.0)


def test_results_are_the_same_again(found: tuple[dict, dict]) -> None:
    again, _ = study(CONFIG)
    assert all((again[name] == array).all() for name, array in found[0].items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 10}, "batch must be powers of 2, as Sobol' noise needs, got 10"),
        ({"batches": [4, 6]}, "batches must be powers of 2, as Sobol' noise needs, got 6"),
    ],
)
def test_batches_must_suit_every_estimator(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Gradients(**{**CONFIG.model_dump(), **change})


def test_a_negative_deviation_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Point(mu=0.0, sigma=-1.0)


def test_points_are_in_logarithms() -> None:
    assert torch.equal(as_tensor(Point(mu=2.0, sigma=1.0)),
                       torch.tensor([2.0, 0.0], dtype=torch.float64))  # fmt: skip
