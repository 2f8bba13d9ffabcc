import numpy as np
import pytest
from scipy.stats import binom

from games import played
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.intervals import (
    clopper_pearson,
    coverage,
    log_normal,
    normal,
    share_covered,
    student,
    weight_diagnostics,
)
from nicelab.importance.proposals import Constant
from nicelab.statistics import mean

SHEET = Gambler(start=100, target=200, plays=600, p="18/37")
SHORT = Gambler(start=5, target=10, plays=40, p=0.4)


def test_ends_of_the_intervals() -> None:
    centre, error = np.array([2.0]), np.array([0.5])
    assert normal(centre, error).lower[0] == pytest.approx(2 - 1.959964 * 0.5, abs=1e-6)
    found = log_normal(centre, error)
    assert found.lower[0] * found.upper[0] == pytest.approx(4.0)
    assert np.log(found.upper[0] / 2) == pytest.approx(1.959964 * 0.25, abs=1e-6)
    assert not log_normal(np.zeros(1), np.zeros(1)).covers(1e-6).any()
    assert clopper_pearson(0, 3000).upper == pytest.approx(1 - 0.025 ** (1 / 3000))


def test_few_groups_need_students_quantile() -> None:
    """Means of 5 normal groups are covered as often as said, within 4 standard errors.

    With the normal quantile they are not.
    """
    assert student(30) == pytest.approx(2.045230, abs=1e-6)
    assert student(10**6) == pytest.approx(1.959964, abs=1e-5)
    groups = np.random.default_rng(0).normal(1, 0.1, (4000, 5))
    centre, error = groups.mean(1), groups.std(1, ddof=1) / 5**0.5
    right = share_covered(centre, error, 1.0, student(5))
    assert abs(right["normal"].z_score(0.95)) < 4
    wrong = share_covered(centre, error, 1.0)
    assert wrong["normal"].z_score(0.95) < -4


def test_coverage_by_simulated_paths() -> None:
    """The law of the hitting time gives the coverage that whole simulations have, within 4 SE."""
    q, paths, replicates = 0.55, 50, 1000
    fast = coverage(SHORT, Constant(q), paths, 4000, np.random.default_rng(0))
    samples = played(SHORT, Constant(q), paths * replicates).samples
    samples = samples.reshape(replicates, paths)
    error = samples.std(1, ddof=1) / paths**0.5
    exact = outcome(SHORT).probability
    for name, interval in (("normal", normal), ("log_normal", log_normal)):
        slow = mean(interval(samples.mean(1), error).covers(exact))
        combined = np.hypot(slow.standard_error, fast[name].standard_error)
        assert abs(slow.value - fast[name].value) < 4 * combined


def test_published_coverage() -> None:
    """About 95 % at the sheet's q and the optimum, 80 to 86 % in heavy tails, 10 % at 0.5."""
    found = {
        q: coverage(SHEET, Constant(q), 3000, 4000, np.random.default_rng(0))["normal"].value
        for q in (0.55, 0.588, 19 / 37, 0.65, 0.50)
    }
    assert found[0.55] == pytest.approx(0.95, abs=0.02)
    assert found[0.588] == pytest.approx(0.95, abs=0.02)
    assert 0.76 < found[0.65] < 0.9
    assert found[0.50] < 0.2


def test_clopper_pearson_covers_at_least_its_level() -> None:
    """Its exact coverage by the binomial law; crude Monte Carlo within 4 standard errors of it."""
    p, paths = outcome(SHORT).probability, 200
    hits = np.arange(paths + 1)
    covered = [bool(clopper_pearson(int(k), paths).covers(p)) for k in hits]
    exact = binom.pmf(hits, paths, p)[covered].sum()
    assert exact >= 0.95
    found = coverage(SHORT, Constant(SHORT.p), paths, 4000, np.random.default_rng(0))
    assert abs(found["clopper_pearson"].z_score(exact)) < 4
    weighted = coverage(SHORT, Constant(0.5), paths, 4000, np.random.default_rng(0))
    assert "clopper_pearson" not in weighted


def test_weight_diagnostics() -> None:
    """ESS of equal weights is their number; k̂ of a Pareto tail is one over its index."""
    assert weight_diagnostics(np.ones(100)) == {"effective_sample_size": pytest.approx(100)}
    heavy = 1 + np.random.default_rng(0).pareto(2, 100_000)
    assert weight_diagnostics(heavy)["pareto_k"] == pytest.approx(0.5, abs=0.15)
    light = np.random.default_rng(0).uniform(1, 2, 100_000)
    assert weight_diagnostics(light)["pareto_k"] < 0
    assert weight_diagnostics(7 * heavy) == pytest.approx(weight_diagnostics(heavy))


@pytest.mark.parametrize("hits", [1, 2, 20, 100, 163, 164])
@pytest.mark.parametrize("equal", [True, False])
def test_no_tail_is_fitted_to_zeros(hits: int, equal: bool) -> None:
    """Of 3000 weights the largest 164 are fitted: with no more hits the fit is one of zeros.

    It would be 0.029 for any number of hits below 163, equal or from a law without mean.
    """
    weights = np.zeros(3000)
    heavy = 1 + np.random.default_rng(0).pareto(0.8, hits)
    weights[:hits] = 1 if equal else heavy
    assert weight_diagnostics(weights).keys() == {"effective_sample_size"}


def test_a_tail_of_hits_alone_is_fitted() -> None:
    """The zeros below it change nothing but the length of the tail."""
    weights = np.zeros(3000)
    weights[:1000] = 1 + np.random.default_rng(0).pareto(1.25, 1000)
    assert weight_diagnostics(weights)["pareto_k"] == pytest.approx(0.8, abs=0.3)
    weights[:1000] = 1
    assert "pareto_k" not in weight_diagnostics(weights)


@pytest.mark.parametrize("count", [1, 3, 10, 24])
def test_a_few_weights_have_no_tail(count: int) -> None:
    found = weight_diagnostics(1 + np.arange(count, dtype=float))
    assert found.keys() == {"effective_sample_size"}
