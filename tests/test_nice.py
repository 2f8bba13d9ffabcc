from types import SimpleNamespace

import pytest
import torch
from scipy import stats
from torch.func import jacrev

from conftest import randomise
from nicelab.flows.families.nice.logistic import Logistic
from nicelab.flows.families.nice.nice import MASK, NICE, Architecture
from nicelab.streams import generator

PAPER = Architecture(family="nice", couplings=4, hidden=1000, depth=5)


def test_the_papers_model_has_its_number_of_parameters() -> None:
    with torch.device("meta"):
        model = NICE(784, PAPER)
    assert sum(w.numel() for w in model.parameters()) == 19_158_352


def test_the_first_coupling_shifts_the_even_entries() -> None:
    assert MASK == ("even", "odd")
    with torch.device("meta"):
        assert [c.shifts for c in NICE(784, PAPER).couplings] == [0, 1, 0, 1]


def test_inverse(flow: NICE, random: torch.Generator) -> None:
    x = torch.randn(5, 12, generator=random, dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(flow(x)[0]), x)


def test_log_det_is_that_of_autograd(flow: NICE, random: torch.Generator) -> None:
    x = torch.randn(12, generator=random, dtype=torch.float64)
    exact = torch.linalg.slogdet(jacrev(lambda v: flow(v)[0])(x)).logabsdet
    assert abs(exact) > 0.1  # a log-determinant of the wrong sign would show
    torch.testing.assert_close(flow(x)[1], exact)


def test_log_prob_is_the_change_of_variables(flow: NICE, random: torch.Generator) -> None:
    x = torch.randn(3, 12, generator=random, dtype=torch.float64)
    for one, log_p in zip(x, flow.log_prob(x), strict=True):
        z, _ = flow(one)
        ladj = torch.linalg.slogdet(jacrev(lambda v: flow(v)[0])(one)).logabsdet
        torch.testing.assert_close(log_p, Logistic().log_prob(z).sum() + ladj)


def test_log_prob_integrates_to_one(random: torch.Generator) -> None:
    """Importance sampling from a wide normal in 2 dimensions, within 4 standard errors."""
    model = NICE(2, Architecture(family="nice", couplings=2, hidden=8, depth=1)).double()
    model.standardise(torch.zeros(2), torch.ones(2), random)
    x = 4 * torch.randn(40_000, 2, generator=random, dtype=torch.float64)
    proposal = torch.from_numpy(stats.norm.logpdf(x, scale=4)).sum(-1)
    w = (model.log_prob(x) - proposal).exp().detach()
    assert abs(w.mean() - 1) < 4 * w.std() / 200


def test_samples_follow_the_density(flow: NICE, random: torch.Generator) -> None:
    """The latents of samples are logistic (Kolmogorov–Smirnov)."""
    with torch.no_grad():
        z, _ = flow(flow.sample(5000, random))
    assert stats.kstest(z.flatten().numpy(), "logistic").pvalue > 1e-3


def test_temperature_multiplies_the_latents(flow: NICE) -> None:
    with torch.no_grad():
        cold, warm = (flow(flow.sample(50, generator(3), t))[0] for t in (0.5, 1.0))
    torch.testing.assert_close(cold, 0.5 * warm)


def test_starts_at_the_prior_for_standardised_data(random: torch.Generator) -> None:
    model = NICE(12, Architecture(family="nice", couplings=4, hidden=16, depth=2))
    mean, spread = torch.rand(12, generator=random), torch.rand(12, generator=random) + 0.1
    model.standardise(mean, spread, random)
    x = mean + spread * torch.randn(20_000, 12, generator=random)
    z, _ = model(x)
    error = Logistic.standard_deviation / 20_000**0.5
    assert z.mean(0).abs().max() < 4.5 * error
    assert (z.std(0) - Logistic.standard_deviation).abs().max() < 4.5 * error


def test_sums_are_float64() -> None:
    model = NICE(12, Architecture(family="nice", couplings=1, hidden=4, depth=1))
    assert model.log_prob(torch.zeros(2, 12)).dtype == torch.float64


@pytest.mark.parametrize("bad", [{"couplings": 0}, {"hidden": 0}, {"depth": 0}])
def test_impossible_architectures(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Architecture(**{**PAPER.model_dump(), **bad})


def ready(random: torch.Generator) -> NICE:
    """A small flow as it is trained: initialised, then moved off its start."""
    model = NICE(12, Architecture(family="nice", couplings=4, hidden=16, depth=2))
    mean, spread = torch.rand(12, generator=random), torch.rand(12, generator=random) + 0.1
    model.standardise(mean, spread, random).double()
    randomise(model, random)
    return model


def test_finishing_leaves_the_same_density_and_plain_weights(random: torch.Generator) -> None:
    model = ready(random)
    x = torch.rand(5, 12, generator=random, dtype=torch.float64)
    before = model.log_prob(x)
    model.finish()
    torch.testing.assert_close(model.log_prob(x), before)
    plain = NICE(12, Architecture(family="nice", couplings=4, hidden=16, depth=2)).double()
    plain.load_state_dict(model.state_dict())
    torch.testing.assert_close(plain.log_prob(x), before)


def test_a_step_in_units_moves_each_shift_by_its_entrys_spread(random: torch.Generator) -> None:
    """Else one step of Adam would throw entries off that hardly vary."""
    spread = torch.logspace(-3, 0, 12)
    model = NICE(12, Architecture(family="nice", couplings=2, hidden=4, depth=1))
    model.standardise(torch.zeros(12), spread, random)
    last = model.couplings[0].m[-2]
    with torch.no_grad():
        last.bias += 1
    model.finish()
    torch.testing.assert_close(last.bias, spread[0::2])


def test_every_weight_is_in_one_group_and_the_scaling_does_not_decay(flow: NICE) -> None:
    recipe = SimpleNamespace(learning_rate=1e-3, scale_rate=20.0, weight_decay=0.5)
    couplings, scaling = flow.groups(recipe)
    grouped = [id(w) for group in (couplings, scaling) for w in group["params"]]
    assert sorted(grouped) == sorted(id(w) for w in flow.parameters())
    assert scaling["params"] == [flow.s]
    assert scaling["weight_decay"] == 0
    assert scaling["lr"] == pytest.approx(0.02)
    assert couplings["weight_decay"] == 0.5


def test_log_det_is_given_for_each_image(flow: NICE, random: torch.Generator) -> None:
    x = torch.randn(2, 3, 12, generator=random, dtype=torch.float64)
    z, ladj = flow(x)
    assert ladj.shape == (2, 3)
    assert flow.log_likelihoods(x).shape == (2, 3)
    torch.testing.assert_close(flow.log_likelihoods(x), flow.log_prob(x))
