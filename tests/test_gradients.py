from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nicelab.errors import InputError
from nicelab.figures import estimators as figure_of_estimators
from nicelab.figures import gradients as figure_of_gradients
from nicelab.gradients import bias_and_variance as study
from nicelab.gradients import elbo, objective
from nicelab.gradients.budget import OPTIMISERS, UNBIASED
from nicelab.gradients.config import Budget, Gradients, Grids, LongRun, Map, Point
from nicelab.gradients.elbo import Elbo
from nicelab.gradients.estimators import ESTIMATORS, Estimator
from nicelab.gradients.family import Function, Terms
from nicelab.gradients.landscape import grid, variance_ratio
from nicelab.gradients.records import CONVICTED, GradientsRecord
from nicelab.gradients.runs import SHEET
from nicelab.gradients.study import judge
from nicelab.pipeline.artifacts import read_metrics, read_record, write_metrics, write_record
from nicelab.statistics import Estimate

RATES = [0.01, 0.1]
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
    budget=Budget(evaluations=800, learning_rates=Grids(sgd=RATES, adam=RATES), seeds=20),
    map=Map(mu=[-1.0, 3.0], sigma=[0.2, 3.0], size=21),
    seed=0,
    elbo=Elbo(x=[1.0], mean=[0.0], log_scale=[0.0], samples=1000),
)


Found = tuple[GradientsRecord, dict]


@pytest.fixture(scope="module")
def found() -> Found:
    return judge(CONFIG)


def test_arrays_have_their_shapes(found: Found) -> None:
    record, _ = found
    count = len(ESTIMATORS)
    assert record.map_loss.shape == record.map_basin.shape == (21, 21)
    assert record.map_variance_ratio.shape == (21, 21)
    assert record.z_scores.shape == (2, count, 2)
    assert record.work.shape == (2, count)
    assert record.batch_variances.shape == record.batch_observed.shape == (count, 3)
    assert {run.band.shape for run in record.runs.values()} == {(3, 41, 2)}
    assert {n for n, r in record.runs.items() if r.ends is not None} == set(record.long)
    for name in SHEET:
        run, long = record.runs[name], record.long[name]
        assert (run.expected.shape, run.ends.shape) == ((41, 2), (50, 2))
        assert (long.long.shape, long.long_ends.shape) == ((401, 2), (20, 2))


def test_arrays_are_written_in_this_order(found: Found) -> None:
    names = list(found[0].to_arrays())
    assert names[:8] == [
        "map_mu",
        "map_sigma",
        "map_loss",
        "map_basin",
        "map_variance_ratio",
        "score_as_printed_band",
        "score_as_printed_expected",
        "score_as_printed_ends",
    ]
    spent = [f"spent_{o}_{name}_learning_rates" for o in OPTIMISERS for name in UNBIASED]
    assert names[-4 * len(spent) :: 4] == spent
    assert names[-18 - 4 * len(spent) : -4 * len(spent)] == [
        "quadrature_band",
        "names",
        "points",
        "z_scores",
        "work",
        "batches",
        "batch_variances",
        "batch_observed",
        "batch_errors",
        "long_steps",
        *(f"{name}_{part}" for name in SHEET for part in ("long", "long_ends")),
    ]


def test_a_record_is_read_as_it_was_written(found: Found, tmp_path: Path) -> None:
    """Though `score_long_ends` would also fit a run called `score_long`."""
    first, again = tmp_path / "first.npz", tmp_path / "again.npz"
    write_record(first, found[0])
    record = read_record(first, GradientsRecord)
    write_record(again, record)
    assert first.read_bytes() == again.read_bytes()
    assert list(record.runs) == list(ESTIMATORS)
    assert list(record.long) == list(SHEET)


def test_the_map_is_the_objective_and_its_basins(found: Found) -> None:
    record, metrics = found
    point = Point(mu=float(record.map_mu[3]), sigma=float(record.map_sigma[7])).tensor()
    assert record.map_loss[7, 3] == pytest.approx(float(objective.value(point)))
    for kind, basin in (("global", 0), ("local", 1)):
        minimum = metrics["exact"]["minima"][kind]
        column = abs(record.map_mu - minimum["mu"].value).argmin()
        row = abs(record.map_sigma - minimum["sigma"].value).argmin()
        assert record.map_basin[row, column] == basin


def test_the_map_is_even_in_the_parameters(found: Found) -> None:
    """In μ and log σ, from end to end; the shares are those of its points."""
    record, metrics = found
    assert np.ptp(np.diff(record.map_mu)) < 1e-12
    assert np.ptp(np.diff(np.log(record.map_sigma))) < 1e-12
    assert record.map_sigma[[0, -1]] == pytest.approx([0.2, 3.0])
    shares = [x.value for name, x in metrics["exact"].items() if name.startswith("share")]
    assert shares == [(record.map_basin == 0).mean(), (record.map_variance_ratio < 1).mean()]


def test_the_score_functions_share_of_the_map() -> None:
    """23 % of the plane of μ and τ; on a grid in σ, which crowds where σ is large, 49 %."""
    part = Map(mu=[-1.0, 3.0], sigma=[0.2, 3.0], size=101)
    mu, sigma, points = grid(part, "cpu")
    assert float((variance_ratio(points, 16) < 1).double().mean()) == pytest.approx(0.23, abs=0.01)
    even = torch.linspace(*part.sigma, part.size, dtype=torch.float64).log()
    points = torch.stack(torch.meshgrid(mu, even, indexing="xy"), dim=-1)
    assert float((variance_ratio(points, 16) < 1).double().mean()) > 0.45


def test_every_estimator_is_studied(found: Found) -> None:
    _, metrics = found
    assert set(metrics["sgd"]) == set(metrics["estimators"]) == set(ESTIMATORS)


def test_observed_variances_are_the_exact_ones(found: Found) -> None:
    """Within 4.5 standard errors, for some 90 comparisons at once."""
    _, metrics = found
    for name, points in metrics["estimators"].items():
        for at in points.values():
            for component in ("mu", "tau"):
                observed, exact = at["variance"][component], at["exact_variance"][component].value
                assert abs(observed.value - exact) <= 4.5 * observed.standard_error + 1e-12, name


def test_bias_is_found_where_it_is(found: Found) -> None:
    record, _ = found
    worst = dict(zip(record.names, abs(record.z_scores).max(-1).T, strict=True))
    for name, estimator in ESTIMATORS.items():
        away, at_sigma_1 = worst[name]
        assert at_sigma_1 < 4
        if name != "quadrature":  # whose error at the batch's 8 nodes is real, and not random
            assert (away < 4) == estimator.unbiased
    assert record.convicted() == ["score_as_printed", "pathwise_as_printed"]


def test_a_verdict_needs_proof_at_one_point(found: Found) -> None:
    z = np.full((2, 2, 2), CONVICTED)
    z[1, 0, 1] = -CONVICTED - 0.1
    names = {"names": np.array(["faulty", "right"]), "z_scores": z}
    assert GradientsRecord(**{**vars(found[0]), **names}).convicted() == ["faulty"]


def test_quantiles_of_ends(found: Found) -> None:
    run = found[0].runs["score"]
    low, *_, middle, _, high = run.quantiles_of_ends()
    assert np.array_equal(middle, np.median(run.ends, axis=0))
    assert ((run.ends < low).sum(0) == 2).all()
    assert ((run.ends > high).sum(0) == 2).all()


def test_slopes_of_independent_samples(found: Found) -> None:
    slopes = found[1]["batch_slopes"]
    for name in ("score", "pathwise", "pathwise_antithetic", "measure_valued"):
        assert slopes[name].value == pytest.approx(-1, abs=1e-9)
    assert slopes["pathwise_stratified"].value < -1.5
    assert "quadrature" not in slopes


def test_work_counts_evaluations(found: Found) -> None:
    at = found[1]["estimators"]["measure_valued"]["mu=0 sigma=1"]
    exact = at["exact_variance"]
    assert at["work"].value == pytest.approx(4 * (exact["mu"].value + exact["tau"].value))
    at = found[1]["estimators"]["score_taylor_1"]["mu=0 sigma=1"]
    exact = at["exact_variance"]
    expected = (1 + 2 / 8) * (exact["mu"].value + exact["tau"].value)
    assert at["work"].value == pytest.approx(expected)


def test_printed_numbers_are_placed_in_the_distribution(found: Found) -> None:
    run = found[1]["sgd"]["score"]
    z = (0.83221 - run["sigma"].value) / run["spread"]["sigma"].value
    assert run["printed"]["sigma"]["z_score"] == pytest.approx(z)
    assert found[1]["exact"]["minima"]["local"]["sigma"].value == pytest.approx(0.606495, abs=1e-6)


def test_without_noise_there_is_no_spread(found: Found) -> None:
    assert found[1]["sgd"]["quadrature"]["spread"]["mu"] == Estimate.exact(0.0)


def test_results_are_the_same_again_and_make_nothing_on_the_default_device(
    found: Found,
) -> None:
    with torch.device("meta"):
        again, metrics = judge(CONFIG)
    first, second = found[0].to_arrays(), again.to_arrays()
    assert list(first) == list(second)
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    assert metrics == found[1]


def test_labels_come_last_and_name_every_estimator(found: Found) -> None:
    metrics = found[1]
    assert list(metrics)[-1] == "labels"
    registries = {"estimators": ESTIMATORS, "elbo": elbo.ESTIMATORS, "optimisers": OPTIMISERS}
    assert {kind: list(names) for kind, names in metrics["labels"].items()} == {
        kind: list(registry) for kind, registry in registries.items()
    }
    assert metrics["labels"]["estimators"]["score_as_printed"] == "score function, as printed"


def test_figures_use_the_labels(found: Found, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_metrics(path, found[1])
    metrics = read_metrics(path)
    metrics["labels"]["estimators"]["pathwise"] = "another name"
    for module in (figure_of_estimators, figure_of_gradients):
        figure = module.draw(found[0], metrics)
        ticks = [t.get_text() for axes in figure.axes for t in axes.get_yticklabels()]
        assert "another name" in ticks
        assert "pathwise" not in ticks
    title = figure_of_estimators.draw(found[0], metrics).get_suptitle()
    assert title.endswith("convicts 2: score function, as printed; pathwise, as printed")
    acquitted = replace(found[0], z_scores=np.zeros_like(found[0].z_scores))
    title = figure_of_estimators.draw(acquitted, metrics).get_suptitle()
    assert title.endswith("a z-test convicts none")


def test_maps_are_drawn_even_in_log_sigma(found: Found, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_metrics(path, found[1])
    for module in (figure_of_estimators, figure_of_gradients):
        axes = module.draw(found[0], read_metrics(path)).axes[0]
        assert axes.get_yscale() == "log"
        assert "1" in [label.get_text() for label in axes.get_yticklabels()]


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
    point = Point(mu=2.0, sigma=1.0).tensor()
    assert torch.equal(point, torch.tensor([2.0, 0.0], dtype=torch.float64))


@pytest.mark.parametrize("terms", [ESTIMATORS["score_as_printed"].terms, lambda f, at, y: 0 * y])
def test_an_estimator_that_wrongly_claims_to_be_unbiased_is_refused(
    monkeypatch: pytest.MonkeyPatch, terms: Terms
) -> None:
    """Also one that is never random, so that a z-test says nothing."""

    def both(f: Function, point: Tensor, y: Tensor) -> Tensor:
        return terms(f, point, y).expand(*y.shape[:-1], 2)

    wrong = {"wrong": Estimator("mine", both, 1)}
    monkeypatch.setattr(study, "ESTIMATORS", wrong)
    with pytest.raises(InputError, match="estimator wrong at mu=0.3 sigma=0.7 says that it is"):
        study.bias_and_variance(CONFIG, "cpu")
    wrong["wrong"] = replace(wrong["wrong"], unbiased=False)
    study.bias_and_variance(CONFIG, "cpu")
