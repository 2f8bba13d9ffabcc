"""Gradient estimators for bits, against sums over all outcomes."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from imports import ROOT
from nicelab.discrete import latent, study
from nicelab.discrete.brackets import linear, quadratic, relaxed
from nicelab.discrete.config import Discrete
from nicelab.discrete.control import _covariances, plain, rebar
from nicelab.discrete.estimators import ESTIMATORS, Estimator, arm, disarm, measure_valued
from nicelab.discrete.objectives import (
    Bits,
    LogJoint,
    Objective,
    every_code,
    exact_gradient,
    outcomes,
)
from nicelab.discrete.relaxed import latent as logistic
from nicelab.discrete.relaxed import latent_given
from nicelab.errors import InputError
from nicelab.figures.discrete import draw
from nicelab.pipeline.metrics import Metrics
from nicelab.pipeline.params import load
from nicelab.report.tables import discrete as tables
from nicelab.statistics import Estimate
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


def slow_value(objective: Objective, m: int, code: list[float]) -> float:
    """Of a set of bits, pixel by pixel."""
    if isinstance(objective, Bits):
        return (sum(code) - objective.target) ** 2
    assert isinstance(objective, LogJoint)
    total = -len(code) * math.log(2)
    for x, weights, bias in zip(
        objective.images[m].tolist(), objective.weights.tolist(), objective.bias, strict=True
    ):
        logit = sum(w * z for w, z in zip(weights, code, strict=True)) + float(bias)
        total -= math.log1p(math.exp(-logit if x else logit))
    return total


@pytest.mark.parametrize("problem", OBJECTIVES)
def test_relaxed_f_is_f_at_the_bits(problem: str) -> None:
    objective = OBJECTIVES[problem]
    bits, _ = outcomes(objective.logits)
    for m in range(len(objective.logits)):
        expected = [slow_value(objective, m, code) for code in bits[:, m].tolist()]
        assert objective.value(bits)[:, m].tolist() == pytest.approx(expected, rel=1e-12)


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


def without_a_correction(objective: Objective, noise: Tensor) -> Tensor:
    """The path of the relaxed bits alone: Gumbel-softmax."""
    soft = (logistic(objective, noise[..., 0]) / 0.5).sigmoid()
    return objective.derivative(soft) * soft * (1 - soft) / 0.5


def without_the_score_of_the_given(objective: Objective, noise: Tensor) -> Tensor:
    """RELAX with c = Σ σ(z_i), without c(Z̃) ∇ log P(b)."""
    bits = (logistic(objective, noise[..., 0]) > 0).to(noise.dtype)
    score = bits - objective.logits.sigmoid()
    given, _ = latent_given(objective, bits, noise[..., 1])
    kept = linear(objective, noise, 1.0)[:-1].sum(0)
    plain = objective.value(bits)[..., None] * score
    return plain + kept + given.sigmoid().sum(-1, keepdim=True) * score


def exact_terms(objective: Objective, noise: Tensor) -> Tensor:
    """The gradient itself, whatever the noise."""
    return exact_gradient(objective).expand(noise.shape[:-1])


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
    "REBAR without its correction": replace(
        ESTIMATORS["rebar"], terms=without_a_correction, tune=None
    ),
    "RELAX without the score of Z̃": replace(
        ESTIMATORS["relax"], terms=without_the_score_of_the_given, tune=None
    ),
    "something that is not random": replace(
        ESTIMATORS["score"], terms=lambda o, noise: 1.001 * exact_terms(o, noise)
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_wrong_estimators_are_convicted(wrong: Estimator) -> None:
    assert study.cost(wrong, OBJECTIVES["bits"], CONFIG, "test").convicted()


def test_what_is_exact_needs_no_test() -> None:
    exact = replace(ESTIMATORS["score"], terms=exact_terms)
    for objective in OBJECTIVES.values():
        found = study.cost(exact, objective, CONFIG, "test")
        assert (found.z_scores[~np.isnan(found.z_scores)] == 0).all()
        assert found.work.value < 1e-20


BASES = {"relaxed": relaxed, "linear": linear, "quadratic": quadratic}


@pytest.mark.parametrize("problem", OBJECTIVES)
@pytest.mark.parametrize("name", BASES)
def test_brackets_have_mean_zero(problem: str, name: str) -> None:
    """Within 5 standard errors, of some hundred components."""
    objective = OBJECTIVES[problem]
    noise = torch.rand(20_000, *objective.logits.shape, 2, generator=random(), dtype=torch.float64)
    found = BASES[name](objective, noise, 0.5)
    error = found.std(1) / len(noise) ** 0.5
    assert (found.mean(1).abs() <= 5 * error + 1e-12).all()


def test_brackets_of_products_are_those_of_autograd() -> None:
    """Column by column of the Jacobian of c(Z) and c(Z̃), in the order of the pairs."""
    k, temperature = 3, 0.7
    theta = torch.tensor([-0.5, 0.2, 1.0], dtype=torch.float64)
    noise = torch.rand(1, 1, k, 2, generator=random(), dtype=torch.float64)
    first, second = torch.triu_indices(k + 1, k + 1)

    def products(z: Tensor) -> Tensor:
        s = torch.cat([(z.flatten() / temperature).sigmoid(), torch.ones(1).double()])
        return s[first] * s[second]

    def here(theta: Tensor) -> Tensor:
        return products(logistic(Bits(theta, 0.0), noise[..., 0]))

    bits = (logistic(Bits(theta, 0.0), noise[..., 0]) > 0).double()

    def there(theta: Tensor) -> Tensor:
        return products(latent_given(Bits(theta, 0.0), bits, noise[..., 1])[0])

    score = bits[0, 0] - theta.sigmoid()
    paths = torch.func.jacrev(here)(theta) - torch.func.jacrev(there)(theta)
    expected = paths - there(theta)[:, None] * score
    found = quadratic(Bits(theta, 0.0), noise, temperature)[:, 0, 0]
    torch.testing.assert_close(found, expected)
    with_one = second == k
    torch.testing.assert_close(
        linear(Bits(theta, 0.0), noise, temperature)[:, 0, 0], expected[with_one]
    )


def test_the_untuned_is_the_tuned_with_a_factor_of_1() -> None:
    objective = OBJECTIVES["end"]
    noise = torch.rand(4, *objective.logits.shape, 2, generator=random(), dtype=torch.float64)
    untuned, tuned = (
        ESTIMATORS[x].tuned(objective, CONFIG.model_copy(update={"temperatures": [0.5]}), random())
        for x in ("rebar_untuned", "rebar")
    )
    plain = untuned(objective, noise) - relaxed(objective, noise, 0.5)[0]
    eta = (tuned(objective, noise) - plain) / relaxed(objective, noise, 0.5)[0]
    assert (eta - eta[:1, :, :1]).abs().max() < 1e-6
    assert (eta[0, :, 0] != 1).all()


@pytest.mark.parametrize("problem", OBJECTIVES)
@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - set(UNBIASED)))
def test_biased_means_are_exact_within_4_standard_errors(problem: str, name: str) -> None:
    """Along the gradient; and every component, by the test that is made of unbiased ones."""
    estimator, objective = ESTIMATORS[name], OBJECTIVES[problem]
    found = study.cost(estimator, objective, CONFIG, "test")
    assert abs(found.along.z_score(found.mean[0])) < 4

    def corrected(of: Objective, noise: Tensor) -> Tensor:
        return estimator.terms(of, noise) - estimator.mean(of) + exact_gradient(of)

    right = study.cost(replace(estimator, terms=corrected), objective, CONFIG, "test")
    assert not right.convicted()


def test_means_of_gumbel_softmax_where_p_is_a_half() -> None:
    """There σ(Z) is uniform, so that E σ(1 − σ) = 1/6 and E σ²(1 − σ)² = 1/30 on either side."""
    objective = Bits(torch.zeros(1, dtype=torch.float64), 0.0)  # ∂f/∂z is 0 or 2
    mean = ESTIMATORS["straight_through_gumbel"].mean(objective)
    variance = ESTIMATORS["straight_through_gumbel"].exact(objective, 2)
    assert float(mean) == pytest.approx(1 / 6)
    assert float(variance) == pytest.approx(0.5 * 4 / 30 - 1 / 36)


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


def test_covariances_are_those_of_numpy() -> None:
    """Of the plain estimate and each bracket, for every bit of every image, summed over bits."""
    objective = OBJECTIVES["end"]
    noise = torch.rand(50, *objective.logits.shape, 2, generator=random(), dtype=torch.float64)
    found = _covariances(objective, noise, linear, 0.5)
    each = torch.cat([plain(objective, noise)[None], linear(objective, noise, 0.5)])
    for image in range(objective.logits.shape[0]):
        by_bit = each[:, :, image].movedim(-1, 0).numpy()
        expected = sum(np.cov(x, bias=True) for x in by_bit)
        np.testing.assert_allclose(found[image], expected, atol=1e-12)


def test_a_relaxed_bit_is_finite_at_the_ends_of_its_noise() -> None:
    objective = OBJECTIVES["start"]
    for bit in (0.0, 1.0):
        bits = torch.full_like(objective.logits, bit)
        for end in (0.0, 1.0):
            for part in latent_given(objective, bits, torch.full_like(bits, end)):
                assert part.isfinite().all()


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


def test_few_samples_do_not_spoil_what_is_tuned() -> None:
    """Of ten coefficients for three bits, some of them almost sure, from a hundred samples."""
    config = CONFIG.model_copy(update={"tuning": 100})
    for objective in (OBJECTIVES["end"], Bits(torch.tensor([6.0, 5.0, 0.0]).double(), 0.7)):
        tuned, plain = (
            study.cost(ESTIMATORS[name], objective, config, "test").work.value
            for name in ("relax_quadratic", "score")
        )
        assert tuned < plain


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


def test_a_rare_bit_convicts_nobody() -> None:
    """What it would add to the mean of another is not among the samples."""
    objective = Bits(torch.tensor([12.0, 0.1], dtype=torch.float64), 0.3)
    for name in UNBIASED:
        assert not study.cost(ESTIMATORS[name], objective, CONFIG, "test").convicted()


def test_fewer_batches_need_a_larger_error_to_convict() -> None:
    """Student's t at 1 ‰ over two sides and the tested of four components: with 20 batches, three.

    The rarer value of the last bit is then expected 38 times, of the 50 that a test asks for.
    """
    bounds = [
        study.cost(
            ESTIMATORS["arm"],
            OBJECTIVES["bits"],
            CONFIG.model_copy(update={"replicates": replicates}),
            "test",
        ).bound()
        for replicates in (20, 100, 2000)
    ]
    tested = ((20, 3), (100, 4), (2000, 4))
    expected = [stats.t.isf(1e-3 / 2 / components, n - 1) for n, components in tested]
    assert bounds == pytest.approx(expected, rel=1e-12)
    assert bounds == sorted(bounds, reverse=True)


def small(**bits: object) -> Discrete:
    update = {"replicates": 50, "tuning": 100, "bits": CONFIG.bits.model_copy(update=bits)}
    return CONFIG.model_copy(update=update)


def test_one_bit_alone() -> None:
    """Measure-valued has no variance, and no test convicts it."""
    _, metrics = study.judge(small(logits=[0.3]))
    found = metrics["problems"]["bits"]["measure_valued"]
    assert found["work"].value == found["exact_work"].value == 0
    assert found["largest_z_score"] == 0


@pytest.mark.parametrize("bits", [{"logits": [0.0, 0.0], "target": 1.0}, {"logits": [800.0]}])
def test_a_gradient_that_vanishes_is_refused(bits: dict[str, object]) -> None:
    with pytest.raises(InputError, match="discrete.bits: the gradient vanishes"):
        study.judge(small(**bits))


def test_what_the_study_finds() -> None:
    found, metrics = study.judge(small())
    again, _ = study.judge(small())
    for name, x in found.to_arrays().items():
        assert x.tobytes() == again.to_arrays()[name].tobytes()
    assert list(found.problems) == list(study.PROBLEMS) == list(metrics["problems"])
    for problem, judged in found.problems.items():
        of_problem = metrics["problems"][problem]
        assert judged.convicted().tolist() == [x["convicted"] for x in of_problem.values()]
        for name, estimator in ESTIMATORS.items():
            assert ("exact_work" in of_problem[name]) == (estimator.exact is not None)
            assert ("exact_bias" in of_problem[name]) == (not estimator.unbiased)
            if not estimator.unbiased:  # along the gradient, and its distance from it in lengths
                along, bias = (of_problem[name][f"exact_{x}"].value for x in ("along", "bias"))
                assert bias**2 >= (1 - along) ** 2
                assert abs(of_problem[name]["along"].z_score(along)) < 4
            signal = (exact_gradient(OBJECTIVES[problem]) ** 2).sum()
            work = of_problem[name]["evaluations"] * of_problem[name]["variance"].value / signal
            assert of_problem[name]["work"].value == pytest.approx(float(work))


def test_the_exact_mean_is_told_by_its_parts() -> None:
    found = study.cost(ESTIMATORS["straight_through"], OBJECTIVES["start"], CONFIG, "test")
    told = study._summary(replace(found, mean=(0.25, 3.0)))
    assert [told[f"exact_{x}"].value for x in ("along", "bias")] == [0.25, 3.0]


def test_what_is_told_follows_the_numbers() -> None:
    found, metrics = study.judge(small())
    read = Metrics(metrics, Path("metrics.json"))
    assert "straight-through everywhere" in tables.told(read)
    assert len(tables.bits(read).rows) == len(tables.biases(read).rows) == 3 * len(ESTIMATORS)
    along, worst = min(
        (entry["exact_along"].value, name)
        for of_problem in read["problems"].values()
        for name, entry in of_problem.items()
        if entry["convicted"]
    )
    title = draw(found, read).get_suptitle().replace("\n", " ")
    label = read["labels"]["estimators"][worst]
    assert f"at its worst {label} goes {abs(along):.2f} times" in title
    for of_problem in read["problems"].values():
        for name, entry in of_problem.items():
            entry["convicted"] = False
            entry["work"] = Estimate(float(name != "arm"), 0.1, 9)
    assert tables.told(read) == (
        "Of what shows no bias, the fewest evaluations are taken by ARM (independent bits and "
        "digits, before training and digits, after training). A test of all components convicts "
        "none of a bias."
    )


def test_an_estimator_that_says_falsely_that_it_is_unbiased_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    false = replace(ESTIMATORS["straight_through"], unbiased=True)
    monkeypatch.setitem(ESTIMATORS, "straight_through", false)
    with pytest.raises(InputError, match="straight_through says that it is unbiased, but it is"):
        study.judge(CONFIG.model_copy(update={"replicates": 300}))
