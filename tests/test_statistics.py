import numpy as np
import pytest

from nicelab.statistics import (
    Estimate,
    difference,
    margins,
    mean,
    of_a_share,
    relative_error,
    standard_deviation,
)


def test_mean_has_the_textbook_error() -> None:
    estimate = mean([1.0, 2.0, 3.0, 4.0])
    assert estimate.value == 2.5
    assert estimate.standard_error == pytest.approx(np.sqrt(5 / 3) / 2)
    assert estimate.n == 4


def test_a_share_that_all_samples_agree_on_has_laplaces_error() -> None:
    assert of_a_share(Estimate(1.0, 0.0, 18)) == Estimate(1.0, 0.05, 18)
    for told in (Estimate(0.5, 0.1, 18), Estimate(1.0, 0.0, 1), Estimate(3.0, 0.0, 18)):
        assert of_a_share(told) == told


@pytest.mark.parametrize("estimator", [mean, standard_deviation, relative_error])
def test_errors_are_the_spread_over_replicates(estimator: object) -> None:
    """The mean stated error is the observed spread, within 4 of the latter's errors."""
    rng = np.random.default_rng(0)
    replicates = [estimator(x) for x in rng.gamma(3.0, size=(4000, 300))]
    spread = np.std([r.value for r in replicates], ddof=1)
    stated = np.mean([r.standard_error for r in replicates])
    assert abs(stated - spread) < 4 * spread / np.sqrt(2 * 4000) + 0.01 * spread


def test_relative_error_is_that_of_the_mean() -> None:
    x = np.random.default_rng(0).gamma(3.0, size=1000)
    m = mean(x)
    assert relative_error(x).value == pytest.approx(m.standard_error / m.value)


def test_z_score() -> None:
    assert Estimate(3.0, 0.5, 10).z_score(2.0) == 2.0


def test_a_relative_error_needs_a_mean() -> None:
    with pytest.raises(ValueError, match="mean zero"):
        relative_error([-1.0, 1.0])


@pytest.mark.parametrize("samples", [[1.0], [], [[1.0, 2.0]]])
def test_too_few_samples(samples: list) -> None:
    with pytest.raises(ValueError, match="at least 2 samples"):
        mean(samples)


def test_errors_of_a_difference_add_in_squares() -> None:
    found = difference(Estimate(3.0, 0.3, 10), Estimate(1.0, 0.4, 20))
    assert (found.value, found.n) == (2.0, 10)
    assert found.standard_error == pytest.approx(0.5)


def test_margins_are_those_of_estimates() -> None:
    errors = [0.0, 0.5, 2.0]
    assert margins(errors).tolist() == [Estimate(1.0, e, 9).margin for e in errors]


def test_an_error_has_no_sign() -> None:
    assert Estimate(3.0, 0.5, 9).scaled(-2) == Estimate(-6.0, 1.0, 9)
