"""Descent at equal evaluations."""

import numpy as np
import pytest
import torch
from torch import Tensor

from imports import ROOT
from nicelab.gradients import objective
from nicelab.gradients.budget import OPTIMISERS, UNBIASED, Excess, at_equal_evaluations, descents
from nicelab.gradients.config import Budget, Gradients
from nicelab.gradients.descent import descend
from nicelab.gradients.nodes import SPENDERS, nodes
from nicelab.pipeline.params import load

CONFIG = load(ROOT / "params.yaml", "gradients", Gradients)
CONFIG = CONFIG.model_copy(
    update={"budget": Budget(evaluations=1600, learning_rates=[0.01, 0.05], seeds=8)}
)
START = CONFIG.start.tensor()


def test_sgd_is_descent() -> None:
    kept = np.array([1, 5, 20])
    found = descents("sgd", objective.gradient, CONFIG, kept, "cpu")
    assert found.shape == (3, 2, 8, 2)
    for k, rate in enumerate(CONFIG.budget.learning_rates):
        expected = descend(objective.gradient, START, rate, 20)[kept]
        torch.testing.assert_close(found[:, k], expected[:, None].expand(3, 8, 2))


def test_adam_is_that_of_each_run_alone() -> None:
    """Kingma and Ba (2015), algorithm 1, by hand; runs that share an optimiser do not meet."""
    noise = torch.randn(2, 8, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def gradient(points: Tensor) -> Tensor:
        return objective.gradient(points) + noise

    found = descents("adam", gradient, CONFIG, np.array([7]), "cpu")[0]
    for k, rate in enumerate(CONFIG.budget.learning_rates):
        for run in range(8):
            point, m, v = START.clone(), 0.0, 0.0
            for step in range(1, 8):
                by = objective.gradient(point) + noise[k, run]
                m, v = 0.9 * m + 0.1 * by, 0.999 * v + 0.001 * by**2
                first, second = m / (1 - 0.9**step), v / (1 - 0.999**step)
                point = point - rate * first / (second.sqrt() + 1e-8)
            torch.testing.assert_close(found[k, run], point)


def test_the_step_size_is_chosen_on_other_runs_than_are_told() -> None:
    loss = np.ones((1, 3, 6))
    loss[0, 1, :3] = 0.5  # best by the first half,
    loss[0, 2, 3:] = 0.1  # though not by the second
    loss[0, 0, 0] = np.nan  # a run that has diverged
    excess = Excess(loss, np.zeros((3, 6), bool))
    assert excess.best() == 1
    assert excess.reported(1).value == 1
    assert excess.reported(2).value == pytest.approx(0.1)
    assert excess.share_global(1).value == 0


def test_the_excess_is_over_the_nearest_minimum() -> None:
    minima = objective.minima(START)
    found = Excess.of(minima[None, :, None].expand(1, 2, 4, 2) + 1e-3)
    assert (found.loss > 0).all()
    assert found.loss.max() < 1e-4
    assert found.at_global.tolist() == [4 * [True], 4 * [False]]


@pytest.fixture(scope="module")
def found() -> tuple[dict, dict]:
    return at_equal_evaluations(CONFIG, "cpu")


def test_all_spend_the_same(found: tuple[dict, dict]) -> None:
    """But for the rest of a step."""
    for optimiser in OPTIMISERS:
        for name, estimator in UNBIASED.items():
            last = int(found[0]["spent"][f"{optimiser}_{name}"].evaluations[-1])
            assert 1600 - estimator.evaluations(16) < last <= 1600


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
