"""Completions against exact answers: a Gaussian flow's conditional mean and covariance."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from conftest import randomise
from nicelab.errors import InputError
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.flows.families.nice.coupling import AdditiveCoupling
from nicelab.images.levels import grey
from nicelab.images.shapes import MNIST
from nicelab.inpainting import hmc_study, measures, mixing
from nicelab.inpainting.ascent import Climb
from nicelab.inpainting.ascent_study import Ascending, ascend_all
from nicelab.inpainting.corrupted import Corrupted, project
from nicelab.inpainting.coverage import judge_posterior
from nicelab.inpainting.density import Density, Field, fisher_information, gradient, score
from nicelab.inpainting.fills import FILLS
from nicelab.inpainting.gaussian import DEQUANTISATION, Gaussian
from nicelab.inpainting.hmc import Draw, Hmc, factor, follow, summarise
from nicelab.inpainting.hmc_study import Chains, draw_posterior
from nicelab.inpainting.records import Posterior, Problems
from nicelab.inpainting.rules import DecayingAdam, FixedStep, Noisy, Rule, SummedGradients

D = 8
HIDDEN = torch.tensor([[True, False] * 4, [False, False, True, True, True, False, True, True]])


class GaussianFlow(torch.nn.Module):
    """NICE with linear couplings and a standard normal prior: x is Gaussian, exactly."""

    def __init__(self, random: torch.Generator) -> None:
        super().__init__()
        self.couplings = torch.nn.ModuleList(
            AdditiveCoupling(D, half, hidden=1, depth=0) for half in ("even", "odd", "even")
        ).double()
        randomise(self, random)
        self.requires_grad_(False)
        self.s = torch.linspace(3.5, 5, D, dtype=torch.float64)
        self.centre = torch.linspace(0.4, 0.6, D, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        x = x - self.centre
        for coupling in self.couplings:
            x = coupling(x) - coupling(torch.zeros_like(x))
        return self.s.exp() * x

    def log_prob(self, x: Tensor) -> Tensor:
        z = self(x)
        return -(z.square() + np.log(2 * np.pi)).sum(-1) / 2 + self.s.sum()

    def exact(self) -> Gaussian:
        """Its mean and covariance."""
        jacobian = torch.autograd.functional.jacobian(self, self.centre)
        return Gaussian(self.centre, torch.linalg.inv(jacobian.mT @ jacobian))

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        exact = self.exact()
        noise = torch.randn(count, D, generator=random, dtype=torch.float64)
        return exact.mean + noise @ torch.linalg.cholesky(exact.covariance).mT


@pytest.fixture
def gaussian(random: torch.Generator) -> GaussianFlow:
    return GaussianFlow(random)


def rules(random: torch.Generator) -> dict[str, Rule]:
    return {
        "fixed": FixedStep(1e-3),
        "summed": SummedGradients(1e-4),
        "paper": Noisy(1.0, random),
        "decaying": DecayingAdam(0.1, 30),
    }


def end(states: object) -> object:
    for state in states:
        last = state
    return last


def test_an_ascent_rests_where_no_slope_points_into_the_set() -> None:
    """Π(x + εg) = x where g is 0 inside (0, 1), ≤ 0 at 0 and ≥ 0 at 1; and nowhere else."""
    hidden = torch.tensor([True, True, False])
    x = torch.cartesian_prod(*[torch.tensor([0.0, 0.5, 1.0])] * 3)
    for g in torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0])] * 3):
        rests = (project(x + 0.1 * g, x, hidden) == x).all(-1)
        points_out = torch.where(x == 0, g <= 0, torch.where(x == 1, g >= 0, g == 0))
        assert torch.equal(rests, (points_out | ~hidden).all(-1))


def test_projection_onto_problem_2s_segment(random: torch.Generator) -> None:
    """Π(y) = (a, min(max(y₂, 0), 1)), and no other point of the segment is nearer."""
    hidden, a = torch.tensor([False, True]), 0.3
    observed = torch.tensor([a, 7.0], dtype=torch.float64)
    for y in 2 * torch.randn(50, 2, generator=random, dtype=torch.float64):
        projected = project(y, observed, hidden)
        assert projected.tolist() == [a, min(max(float(y[1]), 0), 1)]
        t = torch.linspace(0, 1, 101, dtype=torch.float64)
        segment = torch.stack([torch.full_like(t, a), t], dim=-1)
        assert torch.dist(y, projected) <= (segment - y).norm(dim=-1).min() + 1e-12


def test_masks_hide_some_and_leave_some() -> None:
    images = torch.rand(3, D)
    for value, what in ((False, "no pixel"), (True, "every pixel")):
        with pytest.raises(ValueError, match=what):
            Corrupted.hide(images, torch.full((1, D), value))
    corrupted = Corrupted.hide(images, HIDDEN)
    assert (corrupted.observed[HIDDEN[:, None].expand(2, 3, D)] == 0).all()
    assert torch.equal(corrupted.fill(0.5)[0, :, 0], torch.full((3,), 0.5))


@pytest.mark.parametrize("name", ["fixed", "summed", "paper", "decaying"])
def test_observed_pixels_come_back_bit_for_bit(
    gaussian: GaussianFlow, random: torch.Generator, name: str
) -> None:
    images = torch.rand(4, D, dtype=torch.float64, generator=random)
    corrupted = Corrupted.hide(images, HIDDEN)
    start = corrupted.fill(0.5)
    found = end(
        Climb(gaussian.log_prob, torch.ones(D)).ascend(corrupted, start, rules(random)[name], 30)
    )
    for k, hidden in enumerate(HIDDEN):
        assert torch.equal(found.x[k][:, ~hidden], images[:, ~hidden])
        assert (found.x[k][:, hidden] != start[k][:, hidden]).all()
    assert found.x.min() >= 0
    assert found.x.max() <= 1


def test_a_reversed_mask_would_be_seen(gaussian: GaussianFlow) -> None:
    """The observed pixels move, and the exact answer is another one."""
    images = gaussian.draw(4, torch.Generator().manual_seed(0))
    right, wrong = (Corrupted.hide(images, mask) for mask in (HIDDEN, ~HIDDEN))
    exact = gaussian.exact()
    found = end(
        Climb(gaussian.log_prob, torch.ones(D)).ascend(
            wrong, wrong.fill(0.5), FixedStep(1e-4), 200
        )
    )
    shown = HIDDEN[:, None].expand_as(found.x)
    assert not torch.equal(found.x[~shown], right.observed[~shown])
    assert not torch.allclose(found.x, exact.conditional_mean(right), atol=0.01)


def test_a_slow_loop_takes_the_sheets_steps(flow: NICE) -> None:
    """The sheet's script: a buffer that is, or is not, set to zero before each backward pass."""
    half = torch.tensor([True, False] * 6)
    corrupted = Corrupted.hide(torch.rand(1, 12, dtype=torch.float64), half[None])
    ends = {}
    for rule in (FixedStep(1e-2), SummedGradients(1e-2)):
        x = corrupted.fill(1.0)[0].clone().requires_grad_(True)
        for _ in range(10):
            if isinstance(rule, FixedStep):
                x.grad = None
            (-flow.log_prob(x)).sum().backward()
            with torch.no_grad():
                stepped = (x - 1e-2 * x.grad).clamp(0, 1)
                stepped[:, ~half] = corrupted.observed[0][:, ~half]
                x.copy_(stepped)
        found = end(
            Climb(flow.log_prob, torch.ones(12)).ascend(corrupted, corrupted.fill(1.0), rule, 10)
        )
        torch.testing.assert_close(found.x[0], x.detach())
        ends[type(rule)] = found.x
    assert not torch.allclose(*ends.values())


def test_the_papers_step(gaussian: GaussianFlow) -> None:
    """α_i (g / divisor + ε) with the noise of the same generator."""
    g = torch.full((3, D), 7.0)
    for divisor in (1.0, 100.0):
        moved, _ = Noisy(divisor, torch.Generator().manual_seed(1)).move(5, g)
        noise = torch.randn(3, D, generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close(moved, 10 / 105 * (7.0 / divisor + noise))


def test_adam_is_pytorchs(random: torch.Generator) -> None:
    """The displacement is that of torch.optim.Adam with the decayed rate."""
    x = torch.zeros(3, D, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([x], betas=(0.9, 0.99), eps=0, maximize=True)
    rule, here = DecayingAdam(0.1, 20), torch.zeros(3, D, dtype=torch.float64)
    memory = rule.begin(here)
    for i in range(20):
        x.grad = torch.randn(3, D, generator=random, dtype=torch.float64)
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - i / 20) ** 2
        optimiser.step()
        displacement, memory = rule.move(i, x.grad, *memory)
        here = here + displacement
    torch.testing.assert_close(here, x.detach())


def test_ascent_reaches_the_exact_conditional_mean(gaussian: GaussianFlow) -> None:
    images = gaussian.draw(6, torch.Generator().manual_seed(0))
    corrupted, exact = Corrupted.hide(images, HIDDEN), gaussian.exact()
    scale = torch.linalg.inv(exact.covariance).diagonal().rsqrt()
    expected = exact.conditional_mean(corrupted)
    assert 0 < expected.min()
    assert expected.max() < 1
    rule = DecayingAdam(0.1, 2000)
    found = end(Climb(gaussian.log_prob, scale).ascend(corrupted, corrupted.fill(0.5), rule, 2000))
    torch.testing.assert_close(found.x, expected, atol=1e-4, rtol=0)
    assert found.residual.max() < 1e-3
    printed = end(
        Climb(gaussian.log_prob, scale).ascend(
            corrupted, corrupted.fill(0.5), SummedGradients(1e-4), 2000
        )
    )
    assert (printed.x - expected).abs().max() > 0.01  # a heavy ball does not settle


def test_the_residual_is_zero_at_a_bound() -> None:
    """log p = c·x has its maximum at a corner: the projected gradient vanishes there alone."""
    slope = torch.tensor([1.0, -1, 2, -2, 3, -3, 1, 1])
    corrupted = Corrupted.hide(torch.full((1, D), 0.5), torch.tensor([[True] * 7 + [False]]))
    states = Climb(lambda x: x @ slope, torch.ones(D)).ascend(
        corrupted, corrupted.fill(0.5), FixedStep(0.5), 3
    )
    residuals = [float(state.residual) for state in states]
    assert residuals[0] == pytest.approx(0.5)  # the box allows a move by 0.5 in each direction
    assert residuals[-1] == 0


def test_images_stop_when_they_are_stationary(gaussian: GaussianFlow) -> None:
    images = gaussian.draw(5, torch.Generator().manual_seed(0))
    corrupted, exact = Corrupted.hide(images, HIDDEN), gaussian.exact()
    scale = torch.linalg.inv(exact.covariance).diagonal().rsqrt()
    rule = DecayingAdam(0.1, 500)
    start = corrupted.fill(0.5)
    runs = {
        tolerance: list(
            Climb(gaussian.log_prob, scale, tolerance).ascend(corrupted, start, rule, 500)
        )
        for tolerance in (0.0, 0.2)
    }
    whole, stopped = runs.values()
    assert len(stopped) < len(whole) == 501
    assert stopped[-1].residual.max() <= 0.2
    for k, n in np.ndindex(2, 5):
        last = next(i for i, state in enumerate(whole) if state.residual[k, n] <= 0.2)
        torch.testing.assert_close(stopped[-1].x[k, n], whole[last].x[k, n])


def test_gradients_of_many_images_are_those_of_each(flow: NICE, random: torch.Generator) -> None:
    x = torch.rand(2, 3, 12, dtype=torch.float64, generator=random)
    log_prob, g = gradient(flow.log_prob, x)
    for k, n in np.ndindex(2, 3):
        one, by_one = gradient(flow.log_prob, x[k, n])
        torch.testing.assert_close((log_prob[k, n], g[k, n]), (one, by_one))


def test_fisher_information_of_a_gaussian_is_its_precision(
    gaussian: GaussianFlow, random: torch.Generator
) -> None:
    """Within 5 standard errors for each entry; √((F_ii F_jj + F_ij²) / n) by Isserlis."""
    count = 200_000
    found = fisher_information(gaussian.log_prob, gaussian.draw(count, random))
    precision = torch.linalg.inv(gaussian.exact().covariance)
    variance = precision.diagonal()[:, None] * precision.diagonal() + precision.square()
    z = (found - precision) / (variance / count).sqrt()
    assert z.abs().max() < 5
    covariance = gaussian.exact().covariance
    assert ((found - covariance) / (variance / count).sqrt()).abs().max() > 50


def test_factor(random: torch.Generator) -> None:
    """A Aᵀ is the inverse of F on the hidden pixels, up to the shrinking, and 0 elsewhere."""
    root = torch.randn(D, 3 * D, generator=random, dtype=torch.float64)
    fisher = root @ root.mT
    for a, hidden in zip(factor(fisher, HIDDEN), HIDDEN, strict=True):
        block = fisher[hidden][:, hidden]
        scale = block.diagonal().sqrt()
        shrunk = 0.999 * block + 0.001 * torch.diag(scale.square())
        found = (a @ a.mT)[hidden][:, hidden]
        torch.testing.assert_close(found @ shrunk, torch.eye(len(block)).double())
        assert (a[~hidden] == 0).all()
        assert (a[:, ~hidden] == 0).all()


def conditional_draws(
    gaussian: GaussianFlow, temperature: float, field: Field
) -> tuple[Tensor, Tensor]:
    """Last states of 4000 chains for one image behind two masks, and the image."""
    image = gaussian.draw(1, torch.Generator().manual_seed(3))
    corrupted = Corrupted.hide(image, HIDDEN).repeat(4000)
    precision = torch.linalg.inv(gaussian.exact().covariance)
    start = corrupted.project(corrupted.fill(0.5))
    hmc = Hmc(leapfrog=4, warm_up=20, draws=10, step_size=0.3)
    random = torch.Generator().manual_seed(0)
    draws = hmc.chains(
        lambda x: gaussian.log_prob(x) / temperature,
        field,
        start,
        factor(precision, HIDDEN),
        random,
    )
    return end(draws).x, image


@pytest.mark.parametrize(
    ("temperature", "rough", "right"),
    [(1.0, False, True), (1.0, True, True), (1.2, False, False)],
)
def test_chains_draw_from_the_exact_conditional(
    gaussian: GaussianFlow, temperature: float, rough: bool, right: bool
) -> None:
    """Mean and covariance within 4.5 standard errors; a density raised to 1/1.2 is noticed.

    They are right where the field is bent, shifted and rounded to bfloat16, too.
    """
    exact = score(gaussian.log_prob, "float32")

    def field(x: Tensor) -> Tensor:
        g = exact(x)
        return (1.02 * g + x.sin()).bfloat16().to(g) if rough else g

    found, image = conditional_draws(gaussian, temperature, field)
    worst = 0.0
    for x, hidden in zip(found, HIDDEN, strict=True):
        mean, covariance = gaussian.exact().condition(image, hidden)
        assert torch.equal(x[:, ~hidden], image[:, ~hidden].expand(len(x), -1))
        values, n, spread = x[:, hidden], len(x), covariance.diagonal()
        z = (values.mean(0) - mean[0]) / (spread / n).sqrt()
        error = ((spread[:, None] * spread + covariance.square()) / n).sqrt()
        z_covariance = (torch.cov(values.mT) - covariance) / error
        worst = max(worst, float(z.abs().max()), float(z_covariance.abs().max()))
    assert (worst < 4.5) == right


def test_conditioning_agrees_with_the_precision_matrix(gaussian: GaussianFlow) -> None:
    """The conditional covariance is (P_hh)⁻¹ and the mean μ_h − P_hh⁻¹ P_ho (x_o − μ_o)."""
    exact, x = gaussian.exact(), gaussian.draw(4, torch.Generator().manual_seed(0))
    precision = torch.linalg.inv(exact.covariance)
    for hidden in HIDDEN:
        mean, covariance = exact.condition(x, hidden)
        block = torch.linalg.inv(precision[hidden][:, hidden])
        shift = (x[:, ~hidden] - exact.mean[~hidden]) @ precision[~hidden][:, hidden] @ block
        torch.testing.assert_close(covariance, block)
        torch.testing.assert_close(mean, exact.mean[hidden] - shift)


def test_a_gaussian_is_fitted_to_dequantised_images(random: torch.Generator) -> None:
    x = torch.rand(50, D, generator=random)
    found = Gaussian.fit(x)
    expected = np.cov(x.double().numpy().T) + DEQUANTISATION * np.eye(D)
    np.testing.assert_allclose(found.covariance.numpy(), expected)


def test_draws_of_the_gaussian_have_its_conditional_mean(
    gaussian: GaussianFlow, random: torch.Generator
) -> None:
    """Within 4 standard errors, for a distribution well inside [0, 1]."""
    image = gaussian.draw(1, torch.Generator().manual_seed(3))
    many = Corrupted.hide(image, HIDDEN).repeat(4000)
    exact = gaussian.exact()
    draws = exact.draw(many, random)
    expected = exact.conditional_mean(Corrupted.hide(image, HIDDEN))[:, 0]
    for x, mean, hidden in zip(draws, expected, HIDDEN, strict=True):
        values = x[:, hidden]
        error = values.std(0) / len(x) ** 0.5
        assert ((values.mean(0) - mean[hidden]) / error).abs().max() < 4


def test_moments_over_chains_and_draws(random: torch.Generator) -> None:
    """Against NumPy, and chains of one image are neighbours."""
    states = 1e3 + torch.randn(5, 2, 6, D, generator=random)  # draws, any two axes, D
    draws = (Draw(x, x.sum(-1).double(), torch.full((2, 6), 0.5)) for x in states)
    found = summarise(draws, 2, lambda x: 2 * x)
    apart = 2 * states.reshape(5, 6, 2, D)  # draws, images, chains
    pooled = apart.transpose(0, 1).flatten(1, 2)
    torch.testing.assert_close(found.mean, pooled.mean(1))
    torch.testing.assert_close(found.standard_deviation, pooled.std(1), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.chain_variance, apart.mean(0).var(1), rtol=1e-3, atol=1e-4)
    assert torch.equal(found.last, states[-1].reshape(6, 2, D))
    assert (found.acceptance == 0.5).all()
    draws = (Draw(x, x.sum(-1).double(), torch.full((2, 6), 0.5)) for x in states)
    followed = follow(draws, 2, lambda x, log_p: log_p[:, None])
    assert torch.equal(followed[:, 0], states.sum(-1).double().reshape(5, 6, 2).permute(1, 2, 0))


def test_r_hat_tells_chains_that_mix_from_chains_that_do_not() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(1, 2, 4, 500))
    apart = mixed + 10 * np.arange(4)[:, None]
    stuck = np.broadcast_to(np.arange(4.0)[:, None], (1, 2, 4, 500))
    empty = np.concatenate([mixed[:, :1], np.zeros((1, 1, 4, 500))], 1)
    for scalars in (mixed, empty):
        r_hat, ess = mixing.mixing(scalars)
        assert r_hat[0] < 1.02
        assert 1000 < ess[0] < 4000
    r_hat, ess = mixing.mixing(apart)
    assert r_hat[0] > 2
    assert ess[0] < 10
    r_hat, ess = mixing.mixing(stuck)
    assert r_hat[0] > 1e6
    assert ess[0] < 10
    slow = np.cumsum(mixed, -1)
    assert mixing.mixing(slow)[1][0] < 50


def test_scalars_of_chains(random: torch.Generator) -> None:
    x = torch.rand(3, 2, 784, generator=random)
    hidden = torch.rand(3, 784, generator=random) < 0.5
    log_prob = torch.rand(3, 2, generator=random)
    found = mixing.scalars(x, log_prob, hidden, MNIST)
    torch.testing.assert_close(found[:, 0], log_prob.double())
    for n, c in np.ndindex(3, 2):
        picture = torch.where(hidden[n], x[n, c], 0).double().view(28, 28)
        halves = picture[:14], picture[14:], picture[:, :14], picture[:, 14:]
        torch.testing.assert_close(found[n, 1:, c], torch.stack([half.sum() for half in halves]))


def test_the_error_of_a_mean_over_chains_is_free_of_their_noise() -> None:
    """Within 4 standard errors of the squared bias; the error of the mean itself is above it.

    It is the mean over pairs of different chains, to rounding.
    """
    rng, chains, count = np.random.default_rng(0), 3, 4000
    bias, noise = 0.1, 0.3
    truth = rng.uniform(size=(count, 784))
    hidden = np.zeros((1, 784), bool)
    hidden[0, :10] = True
    means = truth + bias + noise * rng.standard_normal((chains, count, 784))
    corrupted = Corrupted.hide(torch.from_numpy(truth), torch.from_numpy(hidden))
    average = torch.from_numpy(means.mean(0)[None])
    posterior = posterior_of(means.var(0, ddof=1)[None], chains)
    naive = measures.squared_error(average, torch.from_numpy(truth), corrupted)
    found = measures.without_noise(naive, posterior, corrupted)[0].numpy()
    off = (means - truth)[:, :, :10]
    pairs = [(off[a] * off[b]).mean(-1) for a in range(chains) for b in range(chains) if a != b]
    np.testing.assert_allclose(found, np.mean(pairs, 0))
    error = found.std(ddof=1) / count**0.5
    assert abs(found.mean() - bias**2) < 4 * error
    assert naive.mean() - bias**2 > 20 * error


def posterior_of(chain_variance: np.ndarray, chains: int) -> Posterior:
    """A posterior of which only the noise of its chains is looked at."""
    nothing = {f.name: np.zeros(1) for f in fields(Posterior)}
    return Posterior(**nothing | {"chain_variance": chain_variance, "chains": np.array(chains)})


def test_chains_of_different_masks_know_only_their_own(small: tuple[NICE, Tensor, Tensor]) -> None:
    """Masks that differ from image to image: what is observed stays, what is hidden moves."""
    model, images, _ = small
    hidden = torch.rand(1, 6, 784, generator=torch.Generator().manual_seed(5)) < 0.5
    training = torch.rand(900, 784, generator=torch.Generator().manual_seed(1))
    levels = (255 * images).round().to(torch.uint8)
    fisher = fisher_information(
        model.log_prob, model.sample(800, torch.Generator().manual_seed(0))
    )
    sampler = hmc_study.Sampler(model, Gaussian.fit(training), fisher, CONFIG)
    draw = end(sampler.short(levels, hidden[0], "some"))
    x = draw.x.reshape(6, CONFIG.chains, 784)
    apart = hidden[0][:, None].expand_as(x)
    assert torch.equal((x * 256).floor()[~apart], levels[:, None].expand_as(x)[~apart].float())
    assert (x[:, 0] != x[:, 1]).all()  # observed pixels have noise of their own
    same = end(sampler.long(levels, hidden[0], "some")).x.reshape(6, 2, 784)
    assert torch.equal(same[:, 0][~hidden[0]], same[:, 1][~hidden[0]])
    assert (same[:, 0][hidden[0]] != same[:, 1][hidden[0]]).any()


def test_gradients_are_counted(
    small: tuple[NICE, Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as are taken, but for those of the model's own samples."""
    model, images, hidden = small
    given = problems(images, hidden)
    asked: list[int] = []

    def counted(density: Density, x: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(x.shape[:-1].numel())
        return gradient(density, x)

    for module in ("density", "ascent"):
        monkeypatch.setattr(f"nicelab.inpainting.{module}.gradient", counted)
    training = torch.rand(900, 784, generator=torch.Generator().manual_seed(1))
    draw_posterior(model, training, given, CONFIG)
    assert sum(asked) == CONFIG.gradients(*given.hidden.shape[:2]) + CONFIG.samples


CONFIG = Chains(
    chains=2,
    steps=3,
    step_size={"ascent": 0.05, "trajectory": 0.2},
    leapfrog=2,
    warm_up=2,
    draws=4,
    long={"images": 2, "chains": 2, "leapfrog": 2, "warm_up": 2, "draws": 4},
    samples=800,
    precision="float32",
    seed=0,
)


@pytest.fixture(scope="module")
def small() -> tuple[NICE, Tensor, Tensor]:
    """A random flow of 784 pixels, six images and two masks."""
    random = torch.Generator().manual_seed(0)
    model = NICE(784, Architecture(family="nice", couplings=2, hidden=8, depth=1))
    model.standardise(torch.full((784,), 0.37), torch.full((784,), 0.2), random)
    hidden = torch.zeros(2, 784, dtype=torch.bool)
    hidden[0, :300], hidden[1, ::3] = True, True
    return model.requires_grad_(False), torch.rand(6, 784, generator=random), hidden


def problems(images: Tensor, hidden: Tensor, names: tuple[str, ...] = ("a", "b")) -> Problems:
    return Problems(
        dataset=np.array("noise"),
        shape=np.array(MNIST),
        images=images.numpy(),
        labels=np.arange(len(images), dtype=np.uint8),
        names=np.array(names),
        mask_labels=np.array([f"mask {name}" for name in names]),
        hidden=hidden.numpy()[:, None].repeat(len(images), 1),
        picture=np.array(4),
    )


def test_the_posterior_is_deterministic(small: tuple[NICE, Tensor, Tensor]) -> None:
    model, images, hidden = small
    training = torch.rand(900, 784, generator=torch.Generator().manual_seed(1))
    given = problems(images, hidden)
    one, two = (draw_posterior(model, training, given, CONFIG) for _ in range(2))
    for name, array in one.to_arrays().items():
        np.testing.assert_array_equal(array, two.to_arrays()[name])
    assert one.mean.shape == (2, 6, 784)
    assert one.shown.shape == (2, 2, 784)
    observed = np.broadcast_to(~hidden.numpy()[:, None], one.draw.shape)
    expected = np.broadcast_to(images.numpy(), one.draw.shape)
    np.testing.assert_allclose(
        one.draw[observed], expected[observed], atol=1.01 / 255
    )  # rounding and noise
    assert one.r_hat.shape == one.ess.shape == (2, 2)


def ascending(**changes: object) -> Ascending:
    sheet = {"mask": "a", "steps": 4, "step_size": 1e-3, "fill": 1.0}
    values = {
        "images": 6,
        "steps": 5,
        "step_size": {"grey": 0.1, "gaussian": 0.05},
        "tolerance": 1e-6,
        "samples": 800,
        "sheet": sheet,
        "published": 2,
        "seed": 0,
    }
    return Ascending(**values | changes)


def test_the_study_of_ascents(small: tuple[NICE, Tensor, Tensor]) -> None:
    model, images, hidden = small
    gaussian, given = Corrupted.hide(images, hidden).fill(0.3), problems(images, hidden)
    found = ascend_all(model, given, gaussian, ascending())
    traces = found.traces
    assert traces["grey"].images.shape == (2, 6, 784)
    assert traces["grey"].frames.shape == (6, 2, 784)
    assert traces["paper"].error.shape == (6, 2, 2)
    assert traces["sheet_as_printed"].error.shape == (5, 1, 6)
    middle = grey(torch.tensor(0.5))
    begin = Corrupted.hide(images, hidden).fill(float(middle))
    np.testing.assert_allclose(traces["grey"].frames[0], begin[:, 4].numpy(), atol=1e-6)
    assert traces["sheet_decaying"].error.shape == (6, 1, 6)
    observed = ~hidden.numpy()[0]
    np.testing.assert_array_equal(
        traces["sheet_decaying"].images[0][:, observed], images.numpy()[:, observed]
    )
    start = (gaussian - images).square().numpy()[1][:, hidden[1]].mean(1)
    np.testing.assert_allclose(traces["gaussian"].error[0, 1], start, rtol=1e-5)
    error = np.square(traces["grey"].images - images.numpy())[0][:, hidden[0]].mean(1)
    np.testing.assert_allclose(traces["grey"].error[-1, 0], error, rtol=1e-5)
    again = type(found).from_arrays(found.to_arrays())
    assert list(again.to_arrays()) == list(found.to_arrays())
    with pytest.raises(InputError, match="sheet.mask must be one of b, c, got a"):
        ascend_all(model, problems(images, hidden, ("b", "c")), gaussian, ascending())
    with pytest.raises(InputError, match=r"ascend.published must be <= ascend.images \(6\)"):
        ascend_all(model, given, gaussian, ascending(published=7))
    with pytest.raises(InputError, match=r"must be > mask.picture \(4\) and <= the 6"):
        ascend_all(model, given, gaussian, ascending(images=7))
    some = ascend_all(model, given, gaussian, ascending(images=5)).traces
    np.testing.assert_array_equal(some["grey"].images, traces["grey"].images[:, :5])


def test_fills_know_only_what_is_observed(small: tuple[NICE, Tensor, Tensor]) -> None:
    """Other values behind the mask change nothing; observed pixels come back."""
    _, images, hidden = small
    training = torch.rand(30, 784, generator=torch.Generator().manual_seed(1))
    other = torch.where(hidden[:1], torch.rand_like(images), images)
    for fill in FILLS.values():
        complete = fill.prepare(training, 3, MNIST)
        one, two = (complete(Corrupted.hide(x, hidden[:1])) for x in (images, other))
        assert torch.equal(one, two)
        assert torch.equal(one[0][:, ~hidden[0]], images[:, ~hidden[0]])
        assert one.min() >= 0
        assert one.max() <= 1


def test_the_nearest_image_is_found_by_a_slow_search(small: tuple[NICE, Tensor, Tensor]) -> None:
    _, images, hidden = small
    training = torch.rand(30, 784, generator=torch.Generator().manual_seed(1))
    found = FILLS["nearest"].prepare(training, 3, MNIST)(Corrupted.hide(images, hidden))
    for k, n in np.ndindex(2, 6):
        seen = ~hidden[k]
        distances = [(candidate - images[n])[seen].norm() for candidate in training]
        expected = training[int(np.argmin(distances))]
        assert torch.equal(found[k, n, hidden[k]], expected[hidden[k]])


def test_scores_agree_with_scikit_image(small: tuple[NICE, Tensor, Tensor]) -> None:
    _, images, hidden = small
    corrupted = Corrupted.hide(images, hidden)
    x = corrupted.project(torch.rand(2, 6, 784, generator=torch.Generator().manual_seed(2)))
    error = measures.squared_error(x, images, corrupted)
    similarity = measures.ssim(x, images, corrupted, MNIST)
    reverse = Corrupted(corrupted.observed, ~corrupted.hidden)
    reversed_error = measures.squared_error(x, images, reverse)
    for k, n in np.ndindex(2, 6):
        pair = [y.double().numpy() for y in (images[n], x[k, n])]
        inside = [y[hidden[k].numpy()] for y in pair]
        expected = peak_signal_noise_ratio(*inside, data_range=1.0)
        assert float(measures.psnr(error)[k, n]) == pytest.approx(expected)
        _, whole = structural_similarity(
            *(y.reshape(28, 28) for y in pair), data_range=1.0, full=True
        )
        assert float(similarity[k, n]) == pytest.approx(
            whole.flatten()[hidden[k]].mean(), abs=1e-5
        )
    assert (reversed_error == 0).all()  # a mask's polarity reversed by mistake hides every error
    assert (error > 0.05).all()


def test_a_perfect_completion_has_a_finite_psnr() -> None:
    assert float(measures.psnr(torch.zeros(1, dtype=torch.float64))) == pytest.approx(
        58.92, abs=0.01
    )


@pytest.mark.parametrize(("shrink", "right"), [(1.0, True), (0.7, False)])
def test_coverage_of_a_known_posterior(shrink: float, right: bool) -> None:
    """Truth and draws from one distribution: nominal within 4 standard errors; not if narrower."""
    rng = np.random.default_rng(0)
    k, n, draws = 1, 400, 4
    hidden = np.zeros((1, 784), bool)
    hidden[0, ::4] = True
    centre = rng.uniform(0.3, 0.7, (k, n, 784))
    truth = centre + 0.1 * rng.standard_normal((k, n, 784))
    values = centre + 0.1 * shrink * rng.standard_normal((draws, k, n, 784))
    unused = np.zeros((k, n))
    posterior = Posterior(
        mean=centre,
        standard_deviation=values.std(0),
        chain_variance=values.var(0),
        lower=values.min(0),
        upper=values.max(0),
        draw=values[0],
        shown=values[:, 0, 0],
        outside=unused,
        acceptance=unused,
        r_hat=np.ones((k, 4)),
        ess=np.array([[100.0, 200, 99, 300]]),
        chains=np.array(draws),
    )
    given = problems(torch.from_numpy(truth[0].clip(0, 1)), torch.from_numpy(hidden), ("one",))
    found = judge_posterior(given, posterior)
    coverage, nominal = found["masks"]["one"]["coverage"], found["nominal_coverage"].value
    assert nominal == pytest.approx(3 / 5)
    slack = 0.01  # the truth is rounded to grey levels, which widens what counts as covered
    assert (abs(coverage.value - nominal) < 4 * coverage.standard_error + slack) == right
    assert found["masks"]["one"]["share_mixed"].value == 0.75
    assert not found["masks"]["one"]["accepted"]


def test_the_scratch_is_there() -> None:
    from imports import ROOT
    from nicelab.inpainting.masks import from_picture

    assert from_picture(Path(ROOT) / "masks" / "scratch.png", 28, 28).sum() == 139
