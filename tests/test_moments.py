import numpy as np
import pytest

from nicelab.importance.moments import Moments
from nicelab.statistics import mean, relative_error

SAMPLES = np.random.default_rng(0).gamma(2, 3, 1000)


def test_parts_add_up_to_the_whole() -> None:
    """However unequal they are; the answers are those of the samples themselves."""
    parts = [Moments.of(part) for part in np.split(SAMPLES, [1, 300, 310])]
    found = Moments.merged(parts)
    expected = Moments.of(SAMPLES)
    for name in ("n", "mean", "second", "third", "fourth"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12)
    estimates = found.estimate(), found.relative_error()
    for ours, theirs in zip(estimates, (mean(SAMPLES), relative_error(SAMPLES)), strict=True):
        assert ours.value == pytest.approx(theirs.value, rel=1e-12)
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=2e-3)
        assert ours.n == theirs.n


def test_a_forgotten_distance_between_means_fails_that_test() -> None:
    parts = [Moments.of(part) for part in (SAMPLES[:500], SAMPLES[500:] + 5)]
    whole = Moments.of(np.concatenate([SAMPLES[:500], SAMPLES[500:] + 5]))
    assert sum(part.second for part in parts) < 0.9 * whole.second
    assert Moments.merged(parts).second == pytest.approx(whole.second)


def test_no_variance() -> None:
    found = Moments.merged([Moments.of(np.full(5, 2.0)), Moments.of(np.full(7, 2.0))])
    assert found.relative_error().value == found.relative_error().standard_error == 0
