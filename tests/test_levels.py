import numpy as np
import pytest
import torch
from scipy.stats import kstest

from nicelab.images.levels import bits_per_dim, centre, dequantise, grey, moments, scale, split
from nicelab.streams import generator


def test_dequantised_pixels_stay_in_their_level() -> None:
    """To the bit: in float32, (255 + u) / 256 would be rounded to 1 once in 131 072 draws."""
    pixels = torch.arange(256, dtype=torch.uint8).repeat(4000, 1)
    x = dequantise(pixels, generator(0))
    assert torch.equal((x * 256).floor(), pixels.float())
    assert (x < 1).all()
    assert x.dtype == torch.float32


def test_noise_is_uniform_and_fresh_for_every_pixel_of_every_image() -> None:
    """n draws of 16 bits have 2¹⁶ (1 − exp(−n/2¹⁶)) values; noise shared by a batch has 784."""
    noise = 256 * dequantise(torch.zeros(50, 784, dtype=torch.uint8), generator(0))
    assert kstest(noise.flatten().numpy(), "uniform").pvalue > 1e-3
    assert len(noise.unique()) == pytest.approx(
        -(2**16) * np.expm1(-noise.numel() / 2**16), rel=0.02
    )


@pytest.mark.parametrize("shape", [(3, 5), (1, 784), (7,)])
def test_noise_of_any_shape(shape: tuple[int, ...]) -> None:
    assert dequantise(torch.zeros(shape, dtype=torch.uint8), generator(0)).shape == shape


def test_neighbouring_pixels_have_independent_noise() -> None:
    """Four share a random word; correlations within 4 standard errors of 0."""
    noise = dequantise(torch.zeros(100_000, 8, dtype=torch.uint8), generator(0))
    correlation = torch.corrcoef(noise.T) - torch.eye(8)
    assert correlation.abs().max() < 4 / 100_000**0.5


def test_scale_is_that_of_to_tensor() -> None:
    assert scale(np.array([0, 51, 255], np.uint8)).tolist() == pytest.approx([0, 0.2, 1])


def test_bits_per_dim_of_the_paper() -> None:
    """1980.50 nats are 4.356 bits per dimension; the ceiling 784 ln 256 is 0 bits."""
    assert bits_per_dim(1980.50, 784) == pytest.approx(4.356, abs=5e-4)
    assert bits_per_dim(784 * np.log(256), 784) == pytest.approx(0, abs=1e-12)


def test_split_is_a_partition() -> None:
    kept, held_out = split(100, 30, generator(0))
    assert len(held_out) == 30
    assert sorted([*kept.tolist(), *held_out.tolist()]) == list(range(100))
    assert not torch.equal(held_out, split(100, 30, generator(1))[1])


def test_moments_are_those_of_dequantised_pixels() -> None:
    half = torch.randint(0, 256, (50, 6), generator=generator(0), dtype=torch.uint8)
    levels = torch.stack([half, half // 2], dim=-1).flatten(1)
    mean, spread = moments(levels)
    u = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    x = (levels.double()[..., None] + u) / 256
    torch.testing.assert_close(mean.double(), x.mean((0, 2)), rtol=1e-6, atol=0)
    exact = x.permute(1, 0, 2).flatten(1).std(1, correction=0)
    torch.testing.assert_close(spread.double(), exact, rtol=1e-5, atol=0)


def test_the_middle_of_a_level_is_the_mean_of_its_noise() -> None:
    """Within 5 standard errors over draws; k/255 is off by half a level; `grey` undoes it."""
    levels = torch.arange(256, dtype=torch.uint8)
    given = torch.from_numpy(scale(levels.numpy()))
    draws = 4000
    x = dequantise(levels.expand(draws, -1), generator(0)).double().mean(0)
    error = (1 / 12 / draws) ** 0.5 / 256
    assert (x - centre(given)).abs().max() < 5 * error
    assert (x - given).abs().max() > 20 * error
    torch.testing.assert_close(grey(centre(given)), given, atol=1e-6, rtol=0)
