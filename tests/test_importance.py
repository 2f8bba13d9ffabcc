from dataclasses import replace

import numpy as np
import pytest

from nicelab.errors import InputError
from nicelab.gambler import Gambler, outcome
from nicelab.importance import Importance, study
from nicelab.proposals import Brownian, Constant, Doob, Proposal, relative_variance
from nicelab.simulation import BLOCK, Paths, simulate, stream, trajectories
from nicelab.statistics import mean, relative_error

SHEET = Importance(
    start=100, target=200, plays=600, p="18/37", q=0.55, paths=3000, shown=5, seed=0,
    cross_entropy={"paths": 2000, "rounds": 2, "plays": 100_000},
    coverage={"replicates": 1000, "points": 3},
)  # fmt: skip
SHORT = Gambler(start=5, target=10, plays=40, p=0.4)
OTHER = Gambler(start=3, target=20, plays=60, p=0.45)
CASES = [(SHEET, Constant(0.55)), (SHEET, Brownian()), (SHORT, Constant(0.55)),
         (SHORT, Constant(0.4)), (SHORT, Brownian()), (OTHER, Constant(0.6)),
         (OTHER, Brownian())]  # fmt: skip


@pytest.mark.parametrize(("gambler", "proposal"), CASES)
def test_estimate_within_4_standard_errors(gambler: Gambler, proposal: Proposal) -> None:
    """And the observed relative error within 4 of its own of the exact one."""
    samples = simulate(gambler, proposal, 20_000, 1, "test").samples
    assert abs(mean(samples).z_score(outcome(gambler).probability)) < 4
    exact = (relative_variance(gambler, proposal) / 20_000) ** 0.5
    assert abs(relative_error(samples).z_score(exact)) < 4


@pytest.mark.parametrize(("gambler", "proposal"), CASES)
def test_a_transposed_weight_fails_that_test(gambler: Gambler, proposal: Proposal) -> None:
    if proposal == Constant(gambler.p):
        return  # p / q is 1 either way round
    paths = simulate(gambler, proposal, 20_000, 1, "test")
    wrong = replace(paths, log_weight=-paths.log_weight).samples
    assert abs(mean(wrong).z_score(outcome(gambler).probability)) > 4


@pytest.mark.parametrize("gambler", [SHEET, SHORT, OTHER])
def test_doobs_transform_gives_the_answer_with_every_path(gambler: Gambler) -> None:
    paths = simulate(gambler, Doob(), 500, 0, "test")
    assert paths.hit.all()
    np.testing.assert_allclose(paths.samples, outcome(gambler).probability, rtol=1e-10)


def test_weights_average_to_one() -> None:
    """E_q[w] = 1 over all paths, hits or not, within 4 standard errors."""
    gambler = Gambler(start=5, target=10, plays=20, p=0.45)
    weights = np.exp(simulate(gambler, Constant(0.5), 50_000, 0, "test").log_weight)
    assert abs(mean(weights).z_score(1)) < 4


def slow(gambler: Gambler, proposal: Proposal, paths: int, seed: int, name: str) -> Paths:
    """The same games, one play of one path at a time."""
    numbers = stream(seed, name, 0).random((gambler.plays, paths))
    rows, found = list(proposal.rows(gambler)), []
    for path in range(paths):
        chips, log_weight, t = gambler.start, 0.0, 0
        while 0 < chips < gambler.target and gambler.target - chips <= gambler.plays - t:
            q = rows[t][chips]
            won = numbers[t, path] < q
            ratio = gambler.p / q if won else (1 - gambler.p) / (1 - q)
            chips, log_weight, t = chips + (1 if won else -1), log_weight + np.log(ratio), t + 1
        found.append((chips == gambler.target, log_weight, t))
    return Paths(*(np.array(column) for column in zip(*found, strict=True)))


@pytest.mark.parametrize("proposal", [Constant(0.55), Brownian(), Doob()])
def test_a_slow_loop_gives_the_same_paths(proposal: Proposal) -> None:
    gambler = Gambler(start=3, target=6, plays=12, p=0.45)
    fast = simulate(gambler, proposal, 200, 0, "test")
    expected = slow(gambler, proposal, 200, 0, "test")
    np.testing.assert_array_equal(fast.hit, expected.hit)
    np.testing.assert_array_equal(fast.plays, expected.plays)
    np.testing.assert_allclose(fast.log_weight, expected.log_weight)


def test_blocks_have_streams_of_their_own() -> None:
    one, two = (stream(0, "test", block).random(1000) for block in (0, 1))
    assert not np.isin(one, two).any()
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / 1000**0.5
    np.testing.assert_array_equal(one, stream(0, "test", 0).random(1000))
    assert not np.isin(one, stream(1, "test", 0).random(1000)).any()
    paths = simulate(SHORT, Constant(0.5), BLOCK + 3, 0, "test")
    assert paths.hit.shape == paths.plays.shape == (BLOCK + 3,)
    whole = simulate(SHORT, Constant(0.5), BLOCK, 0, "test")
    np.testing.assert_array_equal(paths.plays[:BLOCK], whole.plays)


def test_a_game_out_of_reach_stops() -> None:
    gambler = Gambler(start=1, target=3, plays=2, p=0.5)
    paths = simulate(gambler, Constant(0.5), 200, 0, "test")
    assert (paths.plays[paths.hit] == 2).all()
    assert (paths.plays[~paths.hit] <= 2).all()
    assert (paths.plays == 1).any()  # lost once: two more chips need two more plays


def test_trajectories_end_with_their_game() -> None:
    gambler = Gambler(start=1, target=3, plays=20, p=0.5)
    chips = trajectories(gambler, Constant(0.5), 30, 0)
    for path in chips:
        seen = path[np.isfinite(path)]
        assert np.isnan(path[len(seen) :]).all()
        assert (np.abs(np.diff(np.concatenate([[1], seen]))) == 1).all()
        assert ((0 < seen[:-1]) & (seen[:-1] < 3)).all()


def test_study() -> None:
    curves, metrics = study(SHEET)
    methods = metrics["methods"]
    assert methods["sheet"]["exact_relative_error"].value == pytest.approx(0.0705, abs=5e-5)
    assert metrics["exact"]["crude_relative_error"].value == pytest.approx(11.81, abs=5e-3)
    assert metrics["exact"]["optimal_relative_error"].value == pytest.approx(0.0244, abs=5e-5)
    assert len(methods) == 9
    for name in ("sheet", "cross_entropy", "variance_optimal", "brownian", "learned"):
        observed = methods[name]["relative_error"]
        assert abs(observed.z_score(methods[name]["exact_relative_error"].value)) < 4
        assert abs(methods[name]["z_score"]) < 4
        assert methods[name]["probability"].n == 3000
    assert "probability" not in methods["crude"]
    assert methods["crude"]["interval"]["upper"] == pytest.approx(1 - 0.025 ** (1 / 3000))
    assert curves["paths"].shape == (5, 600)
    assert curves["coverage_normal"].shape == (3,)
    assert methods["sheet"]["weights"]["of_hits"]["effective_sample_size"] < 3000


def test_no_hit_at_all_is_an_error_and_not_a_zero() -> None:
    crude = SHEET.model_copy(update={"q": SHEET.p})
    with pytest.raises(
        InputError, match=r"none of the 3000 paths reached 200: raise importance.q"
    ):
        study(crude)
