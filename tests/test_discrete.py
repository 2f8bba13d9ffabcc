"""Gradient estimators for bits, against sums over all outcomes."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from imports import ROOT
from nicelab.discrete import latent, study
from nicelab.discrete.config import Discrete
from nicelab.discrete.control import rebar
from nicelab.discrete.estimators import ESTIMATORS, Estimator, arm, disarm, measure_valued
from nicelab.discrete.objectives import Bits, Objective, every_code, exact_gradient, outcomes
from nicelab.discrete.relaxed import latent as logistic
from nicelab.discrete.relaxed import latent_given
from nicelab.errors import InputError
from nicelab.pipeline.params import load
from nicelab.streams import generator

CONFIG = load(ROOT / "params.yaml", "discrete", Discrete)
CONFIG = CONFIG.model_copy(
    update={
        "latent": CONFIG.latent.model_copy(update={"codes": 3, "images": 2, "steps": 40}),
        "replicates": 2000,
        "tuning": 500,
    }
)
OBJECTIVES, ELBO = study.problems(CONFIG)
UNBIASED = [name for name, estimator in ESTIMATORS.items() if estimator.unbiased]
EXACT = [name for name, estimator in ESTIMATORS.items() if estimator.exact]


def random(name: str = "test") -> torch.Generator:
    return generator(0, "discrete", name)


@pytest.mark.parametrize("problem", OBJECTIVES)
def test_probabilities_add_up(problem: str) -> None:
    objective = OBJECTIVES[problem]
    bits, probability = outcomes(objective.logits)
    assert len(bits[:, 0].unique(dim=0)) == 2 ** objective.logits.shape[1]
    torch.testing.assert_close(probability.sum(0), torch.ones(len(objective.logits)).double())
    mean = (probability[..., None] * bits).sum(0)
    torch.testing.assert_close(mean, objective.logits.sigmoid())


def test_the_exact_gradient_of_the_bits_is_that_of_autograd() -> None:
    """E (Σ b − t)² = Σ p (1 − p) + (Σ p − t)²."""

    def expectation(theta: Tensor) -> Tensor:
        p = theta.sigmoid()
        return (p * (1 - p)).sum() + (p.sum() - CONFIG.bits.target) ** 2

    objective = OBJECTIVES["bits"]
    found = torch.func.grad(expectation)(objective.logits)
    torch.testing.assert_close(exact_gradient(objective), found)


def slow_elbo(model: latent.Model, image: Tensor) -> float:
    """Code by code and pixel by pixel."""
    q = model.logits(image[None])[0].sigmoid()
    total = 0.0
    for code in every_code(len(q)):
        log_q = float(torch.where(code == 1, q, 1 - q).log().sum())
        on = (model.decoder @ code + model.decoder_bias).sigmoid()
        log_x = float(torch.where(image == 1, on, 1 - on).log().sum())
        total += math.exp(log_q) * (log_x - len(q) * math.log(2) - log_q)
    return total


def model() -> tuple[latent.Model, Tensor]:
    images = latent.digits()[:5]
    return latent.start(CONFIG.latent, 1, images.shape[1]), images


def test_the_elbo_is_that_of_a_slow_loop() -> None:
    one, images = model()
    for image, elbo in zip(images, one.elbo(images), strict=True):
        assert float(elbo) == pytest.approx(slow_elbo(one, image), rel=1e-12)


def test_the_gradient_with_that_of_the_entropy_is_that_of_the_elbo() -> None:
    """By the encoder's bias of each image alone, which is what its logits are moved by."""
    one, images = model()

    def elbo(bias: Tensor) -> Tensor:
        moved = replace(one, encoder_bias=bias)
        return moved.elbo(images[:1]).sum()

    objective = one.objective(images[:1])
    theta = objective.logits
    entropy = -theta * theta.sigmoid() * (1 - theta.sigmoid())
    found = torch.func.grad(elbo)(one.encoder_bias)
    torch.testing.assert_close((exact_gradient(objective) + entropy)[0], found)


def test_training_raises_the_elbo() -> None:
    assert len(ELBO) == CONFIG.latent.steps + 1
    assert ELBO[-1] > ELBO[0] + 5
    one, images = model()
    again = latent.start(CONFIG.latent, 1, images.shape[1])
    assert all(map(torch.equal, one.parts(), again.parts()))


@pytest.mark.parametrize("problem", OBJECTIVES)
def test_f_is_differentiable_between_the_bits(problem: str) -> None:
    objective = OBJECTIVES[problem]
    z = torch.rand(7, *objective.logits.shape, generator=random(), dtype=torch.float64)
    found = torch.func.grad(lambda z: objective.value(z).sum())(z)
    torch.testing.assert_close(objective.derivative(z), found)


def test_relaxed_bits_given_the_bits_are_distributed_as_without() -> None:
    """Their quantiles agree within 4 standard errors, and their signs are the bits."""
    objective = Bits(torch.tensor([0.7], dtype=torch.float64), 0.0)
    u, v = torch.rand(2, 200_000, 1, 1, generator=random(), dtype=torch.float64)
    z = logistic(objective, u)
    bits = (z > 0).double()
    given, _ = latent_given(objective, bits, v)
    assert torch.equal(given > 0, bits == 1)
    for level in (0.1, 0.3, 0.5, 0.9):
        at = float(z.quantile(level))
        share = (given < at).double().mean()
        assert abs(share - level) < 4 * (2 * level * (1 - level) / len(u)) ** 0.5


def test_the_slope_of_a_relaxed_bit_given_the_bit() -> None:
    """Autograd through the quantile with v held."""
    v = torch.rand(50, 1, 1, generator=random(), dtype=torch.float64)
    for bit in (0.0, 1.0):

        def at(theta: Tensor, bit: float = bit) -> tuple[Tensor, Tensor]:
            objective = Bits(theta, 0.0)
            return latent_given(objective, torch.full_like(v, bit), v)

        theta = torch.tensor([0.4], dtype=torch.float64)
        slope = torch.func.jacrev(lambda t: at(t)[0])(theta)[..., 0]
        torch.testing.assert_close(at(theta)[1], slope)


@pytest.mark.parametrize("problem", OBJECTIVES)
@pytest.mark.parametrize("name", UNBIASED)
def test_every_unbiased_estimator_is_not_convicted(problem: str, name: str) -> None:
    """By a test of all components at 1 ‰, at this seed."""
    assert not study.cost(ESTIMATORS[name], OBJECTIVES[problem], CONFIG, "test").convicted()


@pytest.mark.parametrize("problem", OBJECTIVES)
@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - set(UNBIASED)))
def test_straight_through_estimators_are_convicted(problem: str, name: str) -> None:
    assert study.cost(ESTIMATORS[name], OBJECTIVES[problem], CONFIG, "test").convicted()


def without_the_path_of_the_given(objective: Objective, noise: Tensor) -> Tensor:
    """REBAR with ∂Z̃/∂θ = 1."""
    soft = (logistic(objective, noise[..., 0]) / 0.5).sigmoid()
    bits = (soft > 0.5).to(noise.dtype)
    given = (latent_given(objective, bits, noise[..., 1])[0] / 0.5).sigmoid()
    score = bits - objective.logits.sigmoid()
    here = objective.derivative(soft) * soft * (1 - soft) / 0.5
    there = objective.derivative(given) * given * (1 - given) / 0.5
    return (objective.value(bits) - objective.value(given))[..., None] * score + here - there


WRONG = {
    "ARM with the sets of bits exchanged": replace(
        ESTIMATORS["arm"], terms=lambda o, noise: -arm(o, noise)
    ),
    "DisARM without its ½": replace(
        ESTIMATORS["disarm"], terms=lambda o, noise: 2 * disarm(o, noise)
    ),
    "DisARM with σ(θ) for σ(|θ|)": replace(
        ESTIMATORS["disarm"],
        terms=lambda o, noise: disarm(o, noise) * o.logits.sigmoid() / o.logits.abs().sigmoid(),
    ),
    "measure-valued without 1 − p": replace(
        ESTIMATORS["measure_valued"],
        terms=lambda o, noise: measure_valued(o, noise) / (1 - o.logits.sigmoid()),
    ),
    "REBAR without the path of Z̃": replace(
        ESTIMATORS["rebar"], terms=without_the_path_of_the_given, tune=None
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_wrong_estimators_are_convicted(wrong: Estimator) -> None:
    assert study.cost(wrong, OBJECTIVES["bits"], CONFIG, "test").convicted()


@pytest.mark.parametrize("problem", OBJECTIVES)
@pytest.mark.parametrize("name", EXACT)
def test_variances_are_exact_within_4_standard_errors(problem: str, name: str) -> None:
    found = study.cost(ESTIMATORS[name], OBJECTIVES[problem], CONFIG, "test")
    assert abs(found.work.z_score(found.exact)) < 4


def test_wrong_variances_are_found() -> None:
    objective = OBJECTIVES["bits"]
    found = study.cost(ESTIMATORS["disarm"], objective, CONFIG, "test")
    unit = found.exact / float(ESTIMATORS["disarm"].exact(objective, CONFIG.batch))
    for other in ("arm", "score", "measure_valued"):
        wrong = unit * float(ESTIMATORS[other].exact(objective, CONFIG.batch))
        assert abs(found.work.z_score(wrong)) > 4


def test_disarm_is_the_mean_of_arm_given_the_bits() -> None:
    """So it never varies more; where every p is ½ ARM's u − ½ is uniform on its half."""
    for objective in OBJECTIVES.values():
        one, other = (ESTIMATORS[x].exact(objective, 2) for x in ("disarm", "arm"))
        assert one < other
    even = Bits(torch.zeros(3, dtype=torch.float64), 0.5)
    one, other = (ESTIMATORS[x].exact(even, 2) for x in ("disarm", "arm"))
    gradient = (exact_gradient(even) ** 2).sum()
    assert float((other + gradient) / (one + gradient)) == pytest.approx(4 / 3)


def test_leaving_one_out_by_hand() -> None:
    objective = OBJECTIVES["bits"]
    p = objective.logits.sigmoid()[0]
    noise = torch.rand(3, *objective.logits.shape, 1, generator=random(), dtype=torch.float64)
    bits = (noise[:, 0, :, 0] < p).double()
    values = (bits.sum(-1) - CONFIG.bits.target) ** 2
    expected = (values[0] - (values[1] + values[2]) / 2) * (bits[0] - p)
    found = ESTIMATORS["score_leave_one_out"].terms(objective, noise)[0, 0]
    torch.testing.assert_close(found, expected)


def test_tuning_lowers_the_variance() -> None:
    """RELAX's surrogate holds REBAR's, so with enough samples it varies no more; both less than
    the score function alone."""
    objective = OBJECTIVES["end"]
    config = CONFIG.model_copy(update={"tuning": 5000})
    work = {
        name: study.cost(ESTIMATORS[name], objective, config, "test").work.value
        / ESTIMATORS[name].evaluations(3)
        for name in ("score", "rebar", "relax")
    }
    assert work["relax"] < 1.05 * work["rebar"] < work["score"]


def test_what_is_tuned_is_the_same_again() -> None:
    objective = OBJECTIVES["end"]
    noise = torch.rand(4, *objective.logits.shape, 2, generator=random(), dtype=torch.float64)
    one, other = (rebar(objective, CONFIG, random("tune"))(objective, noise) for _ in range(2))
    assert torch.equal(one, other)


def test_rare_bits_are_not_tested() -> None:
    """Of a bit that is nearly always 1 the mean of few samples says nothing."""
    objective = Bits(torch.tensor([12.0, 0.0], dtype=torch.float64), 0.5)
    found = study.cost(ESTIMATORS["score"], objective, CONFIG, "test")
    assert np.isnan(found.z_scores).tolist() == [True, False]
    assert not found.convicted()


def test_what_the_study_finds() -> None:
    config = CONFIG.model_copy(update={"replicates": 50, "tuning": 100})
    found, metrics = study.judge(config)
    again, _ = study.judge(config)
    for name, x in found.to_arrays().items():
        assert x.tobytes() == again.to_arrays()[name].tobytes()
    assert list(found.problems) == list(study.PROBLEMS) == list(metrics["problems"])
    assert "exact_work" not in metrics["problems"]["end"]["rebar"]


def test_an_estimator_that_says_falsely_that_it_is_unbiased_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    false = replace(ESTIMATORS["straight_through"], unbiased=True)
    monkeypatch.setitem(ESTIMATORS, "straight_through", false)
    with pytest.raises(InputError, match="straight_through says that it is unbiased, but it is"):
        study.judge(CONFIG.model_copy(update={"replicates": 300}))
