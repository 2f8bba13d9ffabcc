"""Gradient estimators in many dimensions, against exact gradients and variances."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn.functional import logsigmoid

from imports import ROOT
from nicelab.dimensions.config import FEWEST, Dimensions
from nicelab.dimensions.estimators import ESTIMATORS, Estimator, measure_valued, place, score
from nicelab.dimensions.objectives import LogisticRegression, Objective, Separable, breast_cancer
from nicelab.dimensions.study import KINDS, QUADRATIC, cost, exponent, judge
from nicelab.errors import InputError
from nicelab.gradients import objective as sheet
from nicelab.pipeline.params import load
from nicelab.statistics import Estimate
from nicelab.streams import generator

CONFIG = load(ROOT / "params.yaml", "dimensions", Dimensions).model_copy(
    update={"sizes": [1, 3, 10], "fit_from": 1, "replicates": 4000, "evaluations": 2_000_000}
)
FEW_DATA = 60  # of the logistic regression, so that its slow versions are quick


def of(kind: str, d: int) -> Objective:
    if kind == "logistic":
        return LogisticRegression(breast_cancer()[:FEW_DATA, :d])
    return KINDS[kind].make(CONFIG, d)


def random() -> torch.Generator:
    return generator(0, "test", "dimensions")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 4])
def test_derivatives_and_replacements_are_those_of_f(kind: str, d: int) -> None:
    """Autograd, and f with one component after another put in place."""
    objective = of(kind, d)
    x, y = torch.randn(2, 5, d, generator=random(), dtype=torch.float64)
    slope = torch.func.vmap(torch.func.grad(objective.value))(x)
    torch.testing.assert_close(objective.derivative(x), slope, rtol=1e-12, atol=1e-12)
    for i in range(d):
        changed = x.clone()
        changed[:, i] = y[:, i]
        found = objective.replaced(x, y)[:, i]
        torch.testing.assert_close(found, objective.value(changed), rtol=1e-12, atol=1e-12)


def test_the_gradient_of_the_sheets_f_is_the_closed_form() -> None:
    objective = Separable(sheet.F, 7, 0.3, 0.7)
    one = sheet.expectation_gradient(objective.one)
    torch.testing.assert_close(objective.gradient(), one[:, None].expand(2, 7), rtol=0, atol=1e-12)


def test_the_elbo_of_the_logistic_regression_is_largest_at_its_point() -> None:
    """There the gradient of E f is that of the divergence from the prior: (μ, σ² − 1)."""
    objective = of("logistic", 12)
    mu, tau = objective.point
    divergence = torch.stack([mu, (2 * tau).exp() - 1])
    torch.testing.assert_close(objective.gradient(), divergence, rtol=0, atol=1e-5)
    assert mu.abs().max() > 0.1


def test_the_likelihood_of_the_logistic_regression_is_that_of_scikit_learn() -> None:
    features, classes = load_breast_cancer(return_X_y=True)
    weights = np.random.default_rng(0).normal(size=30)
    logits = StandardScaler().fit_transform(features) @ weights
    expected = -log_loss(classes, expit(logits), normalize=False)
    signed = breast_cancer()[:, :30]
    found = logsigmoid(signed @ torch.from_numpy(weights)).sum()
    assert float(found) == pytest.approx(expected)


def test_the_expectation_of_the_log_likelihood_within_4_standard_errors() -> None:
    objective = of("logistic", 6)
    y = torch.randn(200_000, 6, generator=random(), dtype=torch.float64)
    values = objective.value(place(objective, y)[1])
    error = values.std() / len(values) ** 0.5
    assert abs(values.mean() - objective.expectation(objective.point)) < 4 * error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("d", [1, 5])
def test_every_estimator_is_unbiased(kind: str, name: str, d: int) -> None:
    """Each of 2d components within 4.5 standard errors, over 4000 batches."""
    assert largest_z(ESTIMATORS[name], of(kind, d)) < 4.5


def largest_z(estimator: Estimator, objective: Objective) -> float:
    shape = 4000, 8, objective.point.shape[-1], estimator.noise
    noise = torch.randn(*shape, generator=random(), dtype=torch.float64)
    errors = estimator.terms(objective, noise).mean(1) - objective.gradient()
    return float((errors.mean(0).abs() / errors.std(0) * len(errors) ** 0.5).max())


def without_the_score_of_tau(objective: Objective, noise: Tensor) -> Tensor:
    return score(objective, noise) * torch.tensor([1.0, 0.0])[:, None]


def with_another_constant(objective: Objective, noise: Tensor) -> Tensor:
    return measure_valued(objective, noise) * torch.tensor([1.05, 1.0])[:, None]


def with_one_sample_in_its_own_baseline(objective: Objective, noise: Tensor) -> Tensor:
    values = ESTIMATORS["score_leave_one_out"].terms(objective, noise)
    return values * (noise.shape[-3] - 1) / noise.shape[-3]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ESTIMATORS["score"], terms=without_the_score_of_tau),
        replace(ESTIMATORS["measure_valued"], terms=with_another_constant),
        replace(ESTIMATORS["score_leave_one_out"], terms=with_one_sample_in_its_own_baseline),
    ],
)
def test_wrong_estimators_are_found(wrong: Estimator) -> None:
    assert largest_z(wrong, of("sheet", 2)) > 4.5


@pytest.mark.parametrize("kind", ["quadratic", "sheet"])
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("d", [1, 2, 20])
def test_variances_are_exact_within_4_standard_errors(kind: str, name: str, d: int) -> None:
    found = cost(ESTIMATORS[name], of(kind, d), CONFIG, random())
    assert abs(found.work.z_score(found.exact)) < 4


def test_wrong_variances_are_found() -> None:
    """Those of another estimator, of another batch, and of one dimension less."""
    objective = of("sheet", 20)
    baseline = ESTIMATORS["score_leave_one_out"]
    found = cost(baseline, objective, CONFIG, random())
    unit = found.exact / float(baseline.exact(objective, CONFIG.batch))
    less = baseline.exact(Separable(sheet.F, 19, 0.3, 0.7), CONFIG.batch)
    for wrong in (
        ESTIMATORS["score"].exact(objective, CONFIG.batch),
        baseline.exact(objective, 2 * CONFIG.batch),
        20 / 19 * less,
    ):
        assert abs(found.work.z_score(unit * float(wrong))) > 4


def test_one_dimension_is_the_gradient_study() -> None:
    """The score function's variance, by that study's own quadrature."""
    from nicelab.gradients.estimators import ESTIMATORS as ONE

    objective = Separable(sheet.F, 1, 0.3, 0.7)
    for name in ("score", "score_leave_one_out", "pathwise", "measure_valued"):
        one = ONE[name].variance(sheet.F, objective.one, 16).sum()
        assert float(ESTIMATORS[name].exact(objective, 16)) == pytest.approx(float(one), rel=1e-9)
        assert ESTIMATORS[name].evaluations(1) == ONE[name].evaluations(16) / 16


def test_exponents_are_found_with_their_errors() -> None:
    """Over 500 sets of points about d^1.5 the z-scores have a standard deviation of 1 ± 0.16."""
    sizes, draws = [1, 10, 100, 1000], np.random.default_rng(0).normal(size=(500, 4))
    z = []
    for draw in draws:
        work = [
            Estimate(d**1.5 * (1 + 0.01 * x), 0.01 * d**1.5, 9)
            for d, x in zip(sizes, draw, strict=True)
        ]
        z.append(exponent(sizes, work, 1).z_score(1.5))
    assert 0.7 < np.std(z) < 1.1  # the factor of scatter only enlarges errors
    bent = [Estimate(1 + d, 0.01 * d, 9) for d in sizes]
    assert exponent(sizes, bent, 1).standard_error > 5 * exponent(sizes, bent, 100).standard_error


def test_the_powers_of_d_of_a_sum() -> None:
    """Exactly, for many components: 2, 1, 1 and 0."""
    powers = {"score": 2, "score_leave_one_out": 1, "measure_valued": 1, "pathwise": 0}
    for name, power in powers.items():
        few, many = (
            ESTIMATORS[name].evaluations(d)
            * ESTIMATORS[name].exact(Separable(QUADRATIC, d, 0.3, 0.7), 16)
            / d
            for d in (10_000, 20_000)
        )
        assert float((many / few).log2()) == pytest.approx(power, abs=0.01)


def test_what_the_study_finds() -> None:
    config = CONFIG.model_copy(update={"replicates": FEWEST, "evaluations": 1})
    found, metrics = judge(config)
    again, _ = judge(config)
    for name, growth in found.growth.items():
        np.testing.assert_array_equal(growth.work, again.growth[name].work)
    assert set(found.growth) == {f"{k}_{e}" for k in KINDS for e in ESTIMATORS}
    assert "exact_exponent" not in metrics["objectives"]["logistic"]["estimators"]["pathwise"]
    assert np.isnan(found.growth["logistic_score"].exact).all()
    assert list(found.growth["sheet_score"].size) == config.sizes


def test_no_more_dimensions_than_there_are_features() -> None:
    assert KINDS["logistic"].sizes(CONFIG.model_copy(update={"sizes": [1, 495, 496]})) == [1, 495]


def test_samples_are_limited_by_evaluations() -> None:
    assert CONFIG.batches(1) == 4000
    assert CONFIG.batches(3001) == 41
    assert CONFIG.batches(10**9) == FEWEST


def test_sizes_must_increase(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text().replace("sizes: [1, 3,", "sizes: [3, 1,")
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(InputError, match=r"dimensions: sizes must increase, got \[3, 1, 10"):
        load(tmp_path / "params.yaml", "dimensions", Dimensions)
