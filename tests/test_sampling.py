import numpy as np
import pytest
import torch

from nicelab.flows.families.nice import NICE, Architecture
from nicelab.flows.families.nice.logistic import Logistic
from nicelab.flows.flow import Flow
from nicelab.likelihood.sampling import Known, Sampling, interpolate, look, round_trip_error

SHAPE = (1, 3, 4)  # of the images


def test_interpolations_begin_and_end_at_the_images(flow: NICE, random: torch.Generator) -> None:
    start, end = torch.randn(2, 3, 12, generator=random, dtype=torch.float64)
    path = interpolate(flow, start, end, steps=5)
    assert path.shape == (3, 5, 12)
    torch.testing.assert_close(path[:, 0], start)
    torch.testing.assert_close(path[:, -1], end)
    z = flow(path)[0]
    torch.testing.assert_close(z[:, 2], (z[:, 0] + z[:, 4]) / 2)


def test_round_trip(flow: NICE, random: torch.Generator) -> None:
    x = torch.randn(7, 12, generator=random, dtype=torch.float64)
    assert round_trip_error(flow, x) < 1e-12


def test_what_the_model_makes(random: torch.Generator) -> None:
    model = NICE(12, Architecture(family="nice", couplings=2, hidden=4, depth=1))
    model.standardise(torch.full((12,), 0.5), torch.full((12,), 0.3), random)
    model.requires_grad_(False)
    config = Sampling(samples=500, temperatures=[0.5, 1.0], grid=2, pairs=3, steps=4, seed=0)
    training, test = torch.rand(2, 60, 12, generator=random)
    found, metrics = look(model, training, test, SHAPE, config)
    assert {name: a.shape for name, a in found.to_arrays().items()} == {
        "shape": (3,),
        "samples": (4, 12),
        "temperatures": (2,),
        "at_temperatures": (2, 2, 12),
        "nearest_images": (2, 2, 12),
        "interpolations": (3, 4, 12),
        "spectrum": (12,),
    }
    # Logistic of standard deviation 0.3: outside [0, 1] with probability 2 σ(−0.5/scale).
    for t in (0.5, 1.0):
        scale = t * 0.3 / Logistic.standard_deviation
        exact = 2 * float(torch.sigmoid(torch.tensor(-0.5 / scale)))
        share = metrics["temperatures"][f"{t:g}"]["share_of_pixels_outside_0_1"]
        assert abs(share.z_score(exact)) < 4


def test_nearest_images_against_all_distances(random: torch.Generator) -> None:
    known, images = torch.rand(40, 12, generator=random), torch.rand(7, 12, generator=random)
    distance, index = Known(known, images).nearest(images)
    exact = torch.cdist(images, known).min(1)
    np.testing.assert_allclose(distance, exact.values, rtol=1e-5)
    assert index.tolist() == exact.indices.tolist()


def test_copies_are_noticed(random: torch.Generator) -> None:
    """A model that can only repeat a training image is closer to it than test images are."""
    model = NICE(12, Architecture(family="nice", couplings=2, hidden=4, depth=1))
    model.standardise(torch.full((12,), 0.5), torch.full((12,), 1e-3), random)
    model.requires_grad_(False)
    config = Sampling(samples=100, temperatures=[1.0], grid=2, pairs=3, steps=4, seed=0)
    training, test = torch.rand(2, 100, 12, generator=random)
    share = "share_closer_than_the_closest_1_percent_of_test_images"
    honest = look(model, training, test, SHAPE, config)[1]["temperatures"]["1"][share]
    training[7] = 0.5
    copying = look(model, training, test, SHAPE, config)[1]["temperatures"]["1"][share]
    assert honest.value == 0
    assert copying.value == 1


def test_spectrum(flow: NICE) -> None:
    spectrum = flow.spectrum()
    assert (spectrum.diff() <= 0).all()
    torch.testing.assert_close(spectrum[0], (-flow.s.min()).exp())


def test_a_family_without_scales_has_no_spectrum(
    random: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NICE, "spectrum", Flow.spectrum)
    model = NICE(12, Architecture(family="nice", couplings=2, hidden=4, depth=1))
    model.standardise(torch.full((12,), 0.5), torch.full((12,), 0.3), random)
    model.requires_grad_(False)
    config = Sampling(samples=100, temperatures=[1.0], grid=2, pairs=3, steps=4, seed=0)
    found, metrics = look(model, *torch.rand(2, 60, 12, generator=random), SHAPE, config)
    assert found.spectrum is None
    assert "spectrum" not in found.to_arrays()
    assert "sigma" not in metrics
