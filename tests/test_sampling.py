import torch

from nicelab.nice import NICE
from nicelab.sampling import interpolate, round_trip_error, scaling_spectrum


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


def test_spectrum(flow: NICE) -> None:
    spectrum = scaling_spectrum(flow)
    assert (spectrum.diff() <= 0).all()
    torch.testing.assert_close(spectrum[0], (-flow.s.min()).exp())
