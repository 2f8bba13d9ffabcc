import torch

from nicelab import logistic
from nicelab.nice import NICE, Architecture
from nicelab.sampling import (
    Sampling,
    interpolate,
    round_trip_error,
    scaling_spectrum,
    study,
)


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


def test_study(random: torch.Generator) -> None:
    model = NICE(12, Architecture(couplings=2, hidden=4, depth=1))
    model.initialise(torch.full((12,), 0.5), torch.full((12,), 0.3), random)
    model.requires_grad_(False)
    config = Sampling(samples=500, grid=2, pairs=3, steps=4, seed=0)
    arrays, metrics = study(model, torch.rand(6, 12, generator=random), config)
    assert {name: a.shape for name, a in arrays.items()} == {
        "samples": (4, 12), "interpolations": (3, 4, 12), "spectrum": (12,)
    }  # fmt: skip
    # Logistic of standard deviation 0.3: outside [0, 1] with probability 2 σ(−0.5/scale).
    scale = 0.3 / logistic.STANDARD_DEVIATION
    exact = 2 * float(torch.sigmoid(torch.tensor(-0.5 / scale)))
    assert abs(metrics["share_of_pixels_outside_0_1"].z_score(exact)) < 4


def test_spectrum(flow: NICE) -> None:
    spectrum = scaling_spectrum(flow)
    assert (spectrum.diff() <= 0).all()
    torch.testing.assert_close(spectrum[0], (-flow.s.min()).exp())
