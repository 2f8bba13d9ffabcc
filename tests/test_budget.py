"""Descent at equal evaluations."""

import numpy as np
import pytest
import torch
from torch import Tensor

from imports import ROOT
from nicelab.errors import InputError
from nicelab.gradients import objective
from nicelab.gradients.budget import OPTIMISERS, UNBIASED, at_equal_evaluations, descents
from nicelab.gradients.config import Budget, Gradients, Grids
from nicelab.gradients.descent import descend, noisy_gradient
from nicelab.gradients.excess import Excess
from nicelab.gradients.floor import least_excess
from nicelab.gradients.nodes import SPENDERS, nodes
from nicelab.pipeline.params import load
from nicelab.statistics import mean
from nicelab.streams import generator

RATES = [0.01, 0.05]
CONFIG = load(ROOT / "params.yaml", "gradients", Gradients).model_copy(
    update={
        "budget": Budget(evaluations=1600, learning_rates=Grids(sgd=RATES, adam=[0.02]), seeds=8)
    }
)
START = CONFIG.start.tensor()
STARTS = START.expand(len(RATES), 8, 2)
LOCAL = 1  # index of the minimum that descent from the start reaches


def test_sgd_is_descent() -> None:
    kept = np.array([1, 5, 20])
    found = descents(OPTIMISERS["sgd"], objective.gradient, STARTS, RATES, kept)
    assert found.shape == (3, 2, 8, 2)
    for k, rate in enumerate(RATES):
        expected = descend(objective.gradient, START, rate, 20)[kept]
        torch.testing.assert_close(found[:, k], expected[:, None].expand(3, 8, 2))


def test_adam_is_that_of_each_run_alone() -> None:
    """Kingma and Ba (2015), algorithm 1, by hand; runs that share an optimiser do not meet."""
    noise = torch.randn(2, 8, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def gradient(points: Tensor) -> Tensor:
        return objective.gradient(points) + noise

    found = descents(OPTIMISERS["adam"], gradient, STARTS, RATES, np.array([7]))[0]
    for k, rate in enumerate(RATES):
        for run in range(8):
            point, m, v = START.clone(), 0.0, 0.0
            for step in range(1, 8):
                by = objective.gradient(point) + noise[k, run]
                m, v = 0.9 * m + 0.1 * by, 0.999 * v + 0.001 * by**2
                first, second = m / (1 - 0.9**step), v / (1 - 0.999**step)
                point = point - rate * first / (second.sqrt() + 1e-8)
            torch.testing.assert_close(found[k, run], point)


def excess(loss: np.ndarray) -> Excess:
    """Of runs that all stay."""
    return Excess(loss, np.zeros(loss.shape[1:], bool))


def test_the_step_size_is_chosen_on_other_runs_than_are_told() -> None:
    loss = np.ones((1, 3, 6))
    loss[0, 1, :3] = 0.5  # best by the first half,
    loss[0, 2, 3:] = 0.1  # though not by the second
    found = excess(loss)
    assert found.best() == 1
    assert found.reported(1).value == 1
    assert found.reported(2).value == pytest.approx(0.1)
    assert found.summary(RATES + [0.1], "x")["excess_loss"].value == 1


def test_a_choice_on_the_runs_that_are_told_flatters() -> None:
    """Ten step sizes that are all alike, 1000 times: the choice is off by 0, or by many errors."""
    loss = np.random.default_rng(0).normal(size=(1000, 1, 10, 40))
    fair = mean([(x := excess(one)).reported(x.best()).value for one in loss])
    same = mean([one[0, :, 20:].mean(-1).min() for one in loss])
    assert abs(fair.z_score(0)) < 4
    assert same.z_score(0) < -40


def test_runs_astray_are_counted_and_not_averaged() -> None:
    """One in the other minimum, which is lower, one that diverges, and two that stay."""
    minima = objective.minima(START)
    ends = torch.stack([minima[0], torch.full((2,), torch.nan), minima[1], minima[1] + 1e-3])
    found = Excess.of(ends.repeat(2, 1)[None, None], LOCAL)
    assert found.astray.tolist() == [2 * [True, True, False, False]]
    assert found.loss[0, 0, 0] < -0.01
    told = found.summary([0.1], "x")
    assert told["share_astray"].value == 0.5
    assert 0 < told["excess_loss"].value < 1e-5
    assert told["excess_loss"].n == 2


def test_a_run_whose_loss_is_not_finite_at_the_end_is_astray() -> None:
    minima = objective.minima(START)
    far = torch.tensor([0.0, 800.0], dtype=torch.float64)  # σ beyond float64
    path = torch.stack([minima[LOCAL], far]), torch.stack([far, minima[LOCAL]])
    found = Excess.of(torch.stack(path, 1)[:, None], LOCAL)
    assert found.astray.tolist() == [[True, False]]


def test_a_step_size_that_loses_runs_is_taken_only_if_all_do() -> None:
    loss, astray = np.ones((1, 2, 8)), np.zeros((2, 8), bool)
    loss[0, 1], astray[1, 0] = 0.1, True
    assert Excess(loss, astray).best() == 0
    astray[0, :2] = True
    assert Excess(loss, astray).best() == 1
    assert Excess(loss, ~np.zeros((2, 8), bool)).reported(0) is None
    assert np.isnan(Excess(loss, ~np.zeros((2, 8), bool)).curves()[0]).all()
    with pytest.raises(InputError, match=r"loses all runs but one .*: add one below 0\.01"):
        Excess(loss, ~np.zeros((2, 8), bool)).summary(RATES, "SGD with x")


def test_the_excess_is_over_the_minimum_that_descent_reaches() -> None:
    minima = objective.minima(START)
    found = Excess.of(minima[LOCAL].expand(1, 2, 4, 2) + 1e-3, LOCAL)
    assert (found.loss > 0).all()
    assert found.loss.max() < 1e-4
    assert not found.astray.any()


def test_sgd_stays_at_the_floor() -> None:
    """Stationary runs of three estimators, one on antithetic pairs: its noise leaves ½ tr(H S).

    Mean over 2000 runs within 4 standard errors, and a batch twice as large more than 4 off.
    """
    minimum = objective.minima(START)[LOCAL]
    for name in ("pathwise", "pathwise_antithetic", "score_optimal_baseline"):
        gradient = noisy_gradient(name, 16, generator(0, "floor", name))
        starts = minimum.expand(1, 2000, 2)
        points = descents(OPTIMISERS["sgd"], gradient, starts, [0.01], np.array([400]))
        found = mean(Excess.of(points, LOCAL).loss[0, 0])
        assert abs(found.z_score(least_excess(name, minimum, 0.01, 16))) < 4
        assert abs(found.z_score(least_excess(name, minimum, 0.01, 32))) > 4


@pytest.fixture(scope="module")
def found() -> tuple[dict, dict]:
    return at_equal_evaluations(CONFIG, "cpu")


def test_all_spend_the_same(found: tuple[dict, dict]) -> None:
    """But for the rest of a step."""
    for optimiser in OPTIMISERS:
        for name, estimator in UNBIASED.items():
            last = int(found[0]["spent"][f"{optimiser}_{name}"].evaluations[-1])
            assert 1600 - estimator.evaluations(16) < last <= 1600


def test_all_step_sizes_are_told(found: tuple[dict, dict]) -> None:
    """What is stated is the last point of a curve, and where it is known SGD has a floor."""
    spent, metrics = found[0]["spent"], found[1]["budget"]
    for optimiser, rates in (("sgd", RATES), ("adam", [0.02])):
        for name, told in metrics[optimiser].items():
            run = spent[f"{optimiser}_{name}"]
            assert list(told["rates"]) == [f"{rate:g}" for rate in rates]
            assert run.excess.shape == run.excess_error.shape == (len(rates), run.evaluations.size)
            assert told["excess_loss"].value == run.at(told["learning_rate"])[0][-1]
            assert (
                told["excess_loss"] == told["rates"][f"{told['learning_rate']:g}"]["excess_loss"]
            )
            assert ("floor" in told) == (optimiser == "sgd" and not UNBIASED[name].exact)


def test_the_study_is_the_same_again(found: tuple[dict, dict]) -> None:
    assert at_equal_evaluations(CONFIG, "cpu")[1] == found[1]


def test_quadrature_with_the_same_nodes() -> None:
    assert set(SPENDERS) == {
        "score_mean_baseline",
        "score_optimal_baseline",
        "score_hermite_2",
        "score_optimal_baseline_stratified",
        "pathwise_hermite_2",
    }
    _, metrics = nodes(CONFIG, "cpu")
    assert len(metrics["nodes"]) == len(CONFIG.points)
    for at in metrics["nodes"].values():
        assert 0 <= at["quadrature"].value < 1e-9
        assert at["least_deviation"].value > 0.01
