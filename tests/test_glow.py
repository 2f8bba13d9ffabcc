"""Glow's layers and the flow of them: inverses, and determinants against autograd in float64."""

import copy
import math
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.func import grad, jacrev, vmap
from torch.linalg import slogdet

from conftest import randomise
from nicelab.errors import InputError
from nicelab.flows import checkpoint
from nicelab.flows.families.glow import Architecture, Glow
from nicelab.flows.families.glow.black import BEND, EDGE, TAIL, NormalBlack
from nicelab.flows.families.glow.layers import LIMIT, ActNorm, AffineCoupling, Mix, Step
from nicelab.flows.families.glow.normal import Normal
from nicelab.images.levels import dequantise
from nicelab.images.shapes import Shape, described
from nicelab.likelihood.recipe import Training
from nicelab.streams import generator

FORMS = {64: [(2, 6), (1, 8)], 16: [(1, 4)], 36: [(3, 5)]}  # steps and widths, by D
VARIANTS = [
    {},
    {"mix": "conditional"},
    {"mix": "permutation"},
    {"mix": "reversal"},
    {"factor_out": False},
    {"reach": None},
]


def architecture(*levels: tuple[int, int], **variant: Mix | bool | None) -> Architecture:
    """With these steps and widths, and whatever is not as usual."""
    scales = [{"steps": steps, "width": width} for steps, width in levels]
    usual = {"reach": 20.0, "mix": "convolution", "factor_out": True}
    return Architecture(family="glow", levels=scales, **usual | variant)


def square(dimensions: int) -> Shape:
    side = math.isqrt(dimensions)
    return (1, side, side)


def digits(count: int, dimensions: int, seed: int = 0) -> Tensor:
    """Grey levels, two in three of them black."""
    levels = torch.randint(0, 256, (count, dimensions), generator=generator(seed))
    return (levels * (torch.rand(levels.shape, generator=generator(seed, 1)) < 1 / 3)).byte()


def glow(dimensions: int = 64, seed: int = 0, **variant: Mix | bool | None) -> Glow:
    """A small random Glow in float64, initialised and then moved off its start."""
    model = Glow(square(dimensions), architecture(*FORMS[dimensions], **variant)).double()
    model.initialise(digits(200, dimensions), generator(seed))
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator(seed, 2)), alpha=0.1)
    return model


def images(count: int, dimensions: int = 64) -> Tensor:
    return dequantise(digits(count, dimensions, seed=5), generator(6)).double()


def log_det(layer: nn.Module, x: Tensor) -> Tensor:
    """log|det ∂y/∂x| of one image by automatic differentiation."""
    jacobian = jacrev(lambda v: layer(v.view_as(x)[None])[0].flatten())(x.flatten())
    return slogdet(jacobian).logabsdet


def layers() -> dict[str, nn.Module]:
    random = generator(1)
    found = {
        "actnorm": ActNorm((4, 1, 1)),
        "actnorm of positions": ActNorm((4, 2, 3)),
        "coupling": AffineCoupling(4, 8),
        "coupling of odd channels": AffineCoupling(5, 8),
        "factoring out": AffineCoupling(4, None),
        **{f"step, {mix}": Step((4, 2, 3), 8, mix) for mix in get_args(Mix)},
    }
    for layer in found.values():
        randomise(layer.double(), random)
    return found


@pytest.mark.parametrize("name", layers())
def test_layers_invert_and_know_their_determinant(name: str, random: torch.Generator) -> None:
    layer, channels = layers()[name], 5 if "odd" in name else 4
    x = torch.randn(3, channels, 2, 3, generator=random, dtype=torch.float64)
    y, ladj = layer(x)
    torch.testing.assert_close(layer.inverse(y), x)
    exact = torch.stack([log_det(layer, one) for one in x])
    assert exact.abs().min() > 0.1  # a wrong sign would show
    torch.testing.assert_close(ladj.expand(3), exact)


def test_a_normalisation_that_forgets_its_positions_is_caught(random: torch.Generator) -> None:
    layer = layers()["actnorm"]
    x = torch.randn(4, 2, 3, generator=random, dtype=torch.float64)
    assert abs(layer.s.sum() - log_det(layer, x)) > 0.1
    torch.testing.assert_close(6 * layer.s.sum(), log_det(layer, x))


@pytest.mark.parametrize("shape", [(4, 1, 1), (4, 2, 3)])
def test_normalisation_starts_at_mean_0_and_variance_1(shape: tuple[int, int, int]) -> None:
    x = 3 + 5 * torch.randn(500, 4, 2, 3, generator=generator(0))
    layer = ActNorm(shape)
    y = layer.initialise(x)
    shared = [0] if shape == (4, 2, 3) else [0, 2, 3]
    torch.testing.assert_close(
        y.mean(shared), torch.zeros_like(layer.b.squeeze()), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(y.std(shared, correction=0), torch.ones_like(layer.s.squeeze()))
    again = ActNorm(shape)
    again.load_state_dict(layer.state_dict())
    assert torch.equal(again(10 * x)[0], layer(10 * x)[0])  # a loaded layer never starts anew


def test_channels_that_never_vary_can_be_normalised() -> None:
    layer = ActNorm((4, 1, 1))
    assert layer.initialise(torch.full((9, 4, 2, 2), 0.3)).abs().max() < 1e-4


def test_coupling_starts_as_the_identity_and_keeps_its_first_half() -> None:
    layer = AffineCoupling(5, 8)
    layer.initialise(generator(0))
    x = torch.randn(3, 5, 2, 3, generator=generator(1))
    assert torch.equal(layer(x)[0], x)
    randomise(layer, generator(2))
    y = layer(x)[0]
    assert torch.equal(y[:, :3], x[:, :3])
    assert (y[:, 3:] != x[:, 3:]).all()


def test_coupling_stays_invertible_with_enormous_weights() -> None:
    layer = AffineCoupling(4, 8).double()
    randomise(layer, generator(0))
    x = torch.randn(3, 4, 2, 3, generator=generator(1), dtype=torch.float64)
    with torch.no_grad():
        for weight in layer.network[-1].parameters():
            weight.mul_(1e3)
        y, ladj = layer(x)
        torch.testing.assert_close(layer.inverse(y), x, rtol=0, atol=1e-6)
    assert ladj.abs().max() <= 12 * LIMIT


def test_noise_of_black_pixels_becomes_normal() -> None:
    x = torch.rand(20_000, generator=generator(0), dtype=torch.float64) * EDGE
    u, log_slope = NormalBlack(20.0)(x)
    cut = stats.truncnorm(-BEND, BEND)
    assert stats.kstest(u.numpy(), cut.cdf).pvalue > 1e-3
    assert stats.kstest((x / EDGE).numpy(), "norm").pvalue < 1e-9
    density = Normal().log_prob(u) + log_slope  # of x, if the flow did nothing more
    assert float((density - math.log(256)).abs().max()) == pytest.approx(2 * TAIL, rel=0.01)


def test_an_affine_map_of_black_pixels_loses_what_is_claimed() -> None:
    """The divergence of a uniform distribution from the normal one of its mean and variance."""
    x = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    lost = -stats.norm.logpdf(x, 0.5, 12**-0.5).mean()
    assert lost == pytest.approx(math.log(2 * math.pi * math.e / 12) / 2, abs=1e-9)
    assert lost == pytest.approx(0.18, abs=0.005)


def test_the_map_of_black_is_onto_and_knows_its_slope() -> None:
    layer = NormalBlack(20.0)
    x = torch.cat(
        [torch.linspace(-0.1, 2 * EDGE, 5001), torch.linspace(3 * EDGE, 1.5, 999)]
    ).double()
    u, log_slope = layer(x)
    assert (u.diff() > 0).all()
    torch.testing.assert_close(layer.inverse(u), x)
    slopes = vmap(grad(lambda v: layer(v)[0]))(x)
    torch.testing.assert_close(log_slope, slopes.log())
    ends = torch.tensor([EDGE, 1.0], dtype=torch.float64)
    torch.testing.assert_close(layer(ends)[0], torch.tensor([BEND, BEND + 20.0]).double())


each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)


@each_variant
@pytest.mark.parametrize("dimensions", FORMS)
def test_inverse(dimensions: int, variant: dict[str, Any]) -> None:
    model, x = glow(dimensions, **variant), images(7, dimensions)
    torch.testing.assert_close(model.inverse(model(x)[0]), x)
    z = 3 * torch.randn(7, dimensions, generator=generator(3), dtype=torch.float64)
    torch.testing.assert_close(model(model.inverse(z))[0], z)


@each_variant
@pytest.mark.parametrize("dimensions", FORMS)
def test_log_prob_is_the_change_of_variables(dimensions: int, variant: dict[str, Any]) -> None:
    model, x = glow(dimensions, **variant), images(3, dimensions)
    for one, log_p in zip(x, model.log_prob(x), strict=True):
        ladj = slogdet(jacrev(lambda v: model(v)[0])(one)).logabsdet
        exact = torch.from_numpy(stats.norm.logpdf(model(one)[0].detach())).sum() + ladj
        torch.testing.assert_close(log_p, exact)


def test_a_level_that_leaves_out_its_factoring_is_caught() -> None:
    model, x = glow(), images(1)[0]
    exact = slogdet(jacrev(lambda v: model(v)[0])(x)).logabsdet
    randomise(model.levels[0].leave, generator(9))
    assert abs(model(x)[1] - exact) > 0.1


def test_batches_of_any_shape() -> None:
    model, x = glow(), images(6)
    z, ladj = model(x)
    torch.testing.assert_close(model(x.view(2, 3, 64))[0], z.view(2, 3, 64))
    torch.testing.assert_close(model(x.view(2, 3, 64))[1], ladj.view(2, 3))
    torch.testing.assert_close(model(x[0])[0], z[0])
    torch.testing.assert_close(model.inverse(z.view(2, 3, 64)), x.view(2, 3, 64))
    assert ladj.dtype == torch.float64


@torch.no_grad()
def there_and_back(seed: int, *, coarse: bool = False) -> float:
    """The error of float32, in units of what rounding the latents alone does in float64.

    That unit is the model's own condition, so the bound holds for any weights and processor.
    """
    exact, x = glow(seed=seed), images(500).float()
    model = copy.deepcopy(exact).float()
    z, latents = model(x)[0], exact(x.double())[0]
    z = z.bfloat16().float() if coarse else z
    unit = (exact.inverse(latents.float().double()) - x.double()).abs().max()
    return ((model.inverse(z) - x).abs().max() / unit).item()


@pytest.mark.parametrize("seed", range(4))
def test_images_survive_the_way_there_and_back_in_float32(seed: int) -> None:
    """Three steps of three layers round nine times on each way: within 9 of one rounding."""
    assert there_and_back(seed) < 9
    assert there_and_back(seed, coarse=True) > 90


def test_samples_follow_the_density() -> None:
    model = glow()
    with torch.no_grad():
        z, _ = model(model.sample(300, generator(2)))
    assert stats.kstest(z.flatten().numpy(), "norm").pvalue > 1e-3


@each_variant
def test_the_start_is_normal_in_every_channel_of_every_step(variant: dict[str, Any]) -> None:
    model = Glow((1, 8, 8), architecture((2, 6), (2, 6), **variant)).double()
    model.initialise(digits(2000, 64), generator(0))
    z, _ = model(dequantise(digits(2000, 64), generator(0)).double())
    last = z[:, -model.levels[-1].leaving :]
    torch.testing.assert_close(last.mean(0), torch.zeros_like(last[0]), atol=0.02, rtol=0)
    torch.testing.assert_close(last.std(0), torch.ones_like(last[0]), atol=0.02, rtol=0)


@each_variant
def test_only_networks_are_multiplied_in_bfloat16(variant: dict[str, Any]) -> None:
    """The latents and determinants are those of one and the same map, whatever the networks'."""
    model = Glow((1, 8, 8), architecture((2, 6), **variant)).initialise(
        digits(99, 64), generator(0)
    )
    x = images(9).float()  # the networks are zero at the start
    with torch.autocast("cpu", torch.bfloat16):
        z, ladj = model(x)
    assert z.dtype == torch.float32
    assert torch.equal(z, model(x)[0])
    assert torch.equal(ladj, model(x)[1])


@each_variant
def test_every_weight_is_in_one_group(variant: dict[str, Any]) -> None:
    recipe = Training(
        epochs=1, batch=1, learning_rate=0.1, scale_rate=2.0, warm_up=0, schedule="linear",
        weight_decay=0.3, clip=None, precision="float32", seed=0,
    )  # fmt: skip
    model = glow(**variant)
    networks, rest = model.groups(recipe)
    assert len([*networks["params"], *rest["params"]]) == len(list(model.parameters()))
    assert {w.ndim for w in networks["params"]} - {2} == {1, 4}
    assert (networks["weight_decay"], rest["weight_decay"], rest["lr"]) == (0.3, 0.0, 0.2)


@pytest.mark.parametrize("shape", [(1, 9, 7), (1, 10, 10), (3, 6, 8), (1, 8, 6)])
def test_images_that_cannot_be_squeezed_so_often(shape: Shape) -> None:
    said = f"the 3 levels halve .*, which {described(shape)} do not allow"
    with pytest.raises(ValueError, match=said):
        Glow(shape, architecture((1, 4), (1, 4), (1, 4)))


def test_a_colour_image_that_is_no_square() -> None:
    """The determinant is autograd's, and the inverse gives the image back."""
    model = Glow((3, 4, 8), architecture((2, 6), (2, 6))).double()
    model.initialise(digits(200, 96), generator(0))
    x = images(2, 96)
    z, ladj = model(x)
    torch.testing.assert_close(model.inverse(z), x)
    for one, found in zip(x, ladj, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda y: model(y[None])[0][0], one)
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, found)


def test_the_density_of_the_coordinates_is_that_of_images_by_the_slope() -> None:
    model, x = glow(), images(5)
    u = model.coordinates(x)
    torch.testing.assert_close(model.at_coordinates(u), x)
    slopes = vmap(grad(lambda v: NormalBlack(20.0)(v)[0]))(x.flatten()).view_as(x)
    exact = model.log_prob(x) - slopes.log().sum(-1)
    torch.testing.assert_close(model.log_prob_of_coordinates(u), exact)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("levels.0.steps.1.mix.0.log_s", -math.inf, "mix.0.log_s has entries that are not"),
        ("levels.1.steps.0.normalise.s", math.nan, "normalise.s has entries that are not finite"),
        ("levels.0.steps.0.mix.0.P", 1.0, "steps.0.mix.0.P is not a permutation"),
        ("levels.0.steps.0.mix.0.sign", 0.5, "mix.0.sign has entries that are not ±1"),
    ],
)
def test_files_of_weights_that_are_no_invertible_map(
    tmp_path: Path, name: str, value: float, said: str
) -> None:
    model, path = glow().float(), tmp_path / "glow.safetensors"
    model.state_dict()[name].fill_(value)
    checkpoint.save(path, model, architecture(*FORMS[64]), (1, 8, 8), "digits")
    with pytest.raises(InputError, match=rf"glow.safetensors does not fit its header \(.*{said}"):
        checkpoint.load(path, torch.device("cpu"))


def test_a_file_of_weights_gives_the_same_flow_again(tmp_path: Path) -> None:
    model, path = glow().float(), tmp_path / "glow.safetensors"
    checkpoint.save(path, model, architecture(*FORMS[64]), (1, 8, 8), "digits")
    again, _ = checkpoint.load(path, torch.device("cpu"))
    x = images(3).float()
    with torch.no_grad():
        assert torch.equal(again.log_prob(x), model.log_prob(x))
