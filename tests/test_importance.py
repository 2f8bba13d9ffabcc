from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from games import played
from nicelab.errors import InputError
from nicelab.importance.config import Importance
from nicelab.importance.draws import Draws
from nicelab.importance.exhibits import backdrop, by_error, relative_errors
from nicelab.importance.gambler import Gambler, outcome, relative_deviation
from nicelab.importance.intervals import coverage, share_covered
from nicelab.importance.judgement import judge
from nicelab.importance.proposals import (
    Brownian,
    Constant,
    Doob,
    Mixture,
    Proposal,
    tabulated,
)
from nicelab.importance.records import RareEvent
from nicelab.importance.simulation import BLOCK, Games, Paths, trajectories, whole_numbers
from nicelab.importance.study import measure
from nicelab.importance.trials import replicate, tally
from nicelab.importance.weights import relative_variance
from nicelab.pipeline.artifacts import read_record, write_metrics, write_record
from nicelab.statistics import mean, relative_error

COARSE = {
    "shown": 5,
    "seed": 0,
    "defensive": 0.1,
    "cross_entropy": {"paths": 2000, "rounds": 2},
    "splitting": {"levels": 10, "groups": 30, "killed": 0.1, "effective": 0.5, "replicates": 20},
    "rarer": {"scales": (1, 1.5, 2, 3)},
    "coverage": {"replicates": 1000, "played": 20, "points": 3},
}
SHEET = Importance(start=100, target=200, plays=600, p="18/37", q=0.55, paths=3000, **COARSE)
SHORT = Importance(start=5, target=10, plays=40, p=0.4, q=0.55, paths=3000, **COARSE)
OTHER = Importance(start=3, target=20, plays=60, p=0.45, q=0.6, paths=3000, **COARSE)
measured = cache(measure)
METHODS = [
    "crude",
    "siegmund",
    "sheet",
    "defensive",
    "large_deviation",
    "cross_entropy",
    "variance_optimal",
    "cross_entropy_by_play",
    "brownian",
    "learned",
    "doob",
    "splitting_by_balance",
    "splitting_by_reach",
    "splitting_adaptive",
    "particle_filter",
]
CASES = [
    (SHEET, Constant(0.55)),
    (SHEET, Brownian()),
    (SHORT, Constant(0.55)),
    (SHORT, Constant(0.4)),
    (SHORT, Brownian()),
    (OTHER, Constant(0.6)),
    (OTHER, Brownian()),
    (OTHER, Mixture((0.2, 0.8), (0.45, 0.65))),
]


@pytest.mark.parametrize(("gambler", "proposal"), CASES)
def test_estimate_within_4_standard_errors(gambler: Gambler, proposal: Proposal) -> None:
    """And the observed relative error within 4 of its own of the exact one."""
    samples = played(gambler, proposal, 20_000, 1).samples
    assert abs(mean(samples).z_score(outcome(gambler).probability)) < 4
    exact = (relative_variance(gambler, proposal) / 20_000) ** 0.5
    assert abs(relative_error(samples).z_score(exact)) < 4


@pytest.mark.parametrize(("gambler", "proposal"), CASES)
def test_a_transposed_weight_fails_that_test(gambler: Gambler, proposal: Proposal) -> None:
    if proposal == Constant(gambler.p):
        return  # p / q is 1 either way round
    paths = played(gambler, proposal, 20_000, 1)
    wrong = replace(paths, log_weight=-paths.log_weight).samples
    assert abs(mean(wrong).z_score(outcome(gambler).probability)) > 4


@pytest.mark.parametrize("gambler", [SHEET, SHORT, OTHER])
def test_doobs_transform_gives_the_answer_with_every_path(gambler: Gambler) -> None:
    """But for q being rounded to 32 bits."""
    paths = played(gambler, Doob(), 500)
    assert paths.hit.all()
    np.testing.assert_allclose(paths.samples, outcome(gambler).probability, rtol=1e-6)


def test_weights_average_to_one() -> None:
    """E_q[w] = 1 over all paths, hits or not, within 4 standard errors."""
    gambler = Gambler(start=5, target=10, plays=20, p=0.45)
    weights = np.exp(played(gambler, Constant(0.5), 50_000).log_weight)
    assert abs(mean(weights).z_score(1)) < 4


def slow(gambler: Gambler, proposal: Proposal, paths: int, draws: Draws) -> Paths:
    """The same games, one play of one path at a time."""
    numbers = whole_numbers(draws.stream(0), gambler.plays * paths)
    numbers = numbers.reshape(gambler.plays, paths) / 2**32
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
    fast = played(gambler, proposal, 200)
    expected = slow(gambler, proposal, 200, Draws(0, "test"))
    np.testing.assert_array_equal(fast.hit, expected.hit)
    np.testing.assert_array_equal(fast.plays, expected.plays)
    np.testing.assert_allclose(fast.log_weight, expected.log_weight, atol=1e-8)  # q is rounded


def test_blocks_have_streams_of_their_own() -> None:
    draws = Draws(0, "test")
    one, two = (draws.stream(block).random(1000) for block in (0, 1))
    assert not np.isin(one, two).any()
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / 1000**0.5
    np.testing.assert_array_equal(one, draws.stream(0).random(1000))
    for other in (Draws(1, "test"), draws.named("again")):
        assert not np.isin(one, other.stream(0).random(1000)).any()
    assert Draws(0).named("test") == draws
    paths = played(SHORT, Constant(0.5), BLOCK + 3)
    assert paths.hit.shape == paths.plays.shape == (BLOCK + 3,)
    whole = played(SHORT, Constant(0.5), BLOCK)
    np.testing.assert_array_equal(paths.plays[:BLOCK], whole.plays)


def test_a_game_out_of_reach_stops() -> None:
    gambler = Gambler(start=1, target=3, plays=2, p=0.5)
    paths = played(gambler, Constant(0.5), 200)
    assert (paths.plays[paths.hit] == 2).all()
    assert (paths.plays[~paths.hit] <= 2).all()
    assert (paths.plays == 1).any()  # lost once: two more chips need two more plays


def test_games_that_ended_are_left_out() -> None:
    """Most games end early; the others go on as they should: hits within 4 standard errors."""
    gambler = Gambler(start=20, target=40, plays=20_000, p=0.5)
    games, sizes = Games(gambler, 2000), []
    for stretch in games.play(Constant(0.5), Draws(0, "test").stream(0)):
        sizes.append(len(stretch.games))
        steps = np.abs(np.diff(stretch.chips, axis=0))
        assert set(np.unique(steps)) <= {0, 1}
    assert sizes[-1] < sizes[0] / 2
    paths = games.paths()
    assert set(np.unique(games.chips)) == {0, 40}
    assert abs(mean(paths.samples).z_score(0.5)) < 4
    assert abs(mean(paths.plays).z_score(400)) < 4  # start · (target − start)


@pytest.mark.parametrize("proposal", [Brownian(), Mixture((0.5, 0.5), (0.4, 0.6))])
def test_a_table_plays_the_same_games(proposal: Proposal) -> None:
    one, two = (played(SHORT, x, 500) for x in (proposal, tabulated(SHORT, proposal)))
    np.testing.assert_array_equal(one.log_weight, two.log_weight)


def test_trajectories_end_with_their_game() -> None:
    gambler = Gambler(start=1, target=3, plays=20, p=0.5)
    chips = trajectories(gambler, Constant(0.5), 30, Draws(0, "shown"))
    assert chips.shape == (30, 21)
    for path in chips:
        seen = path[np.isfinite(path)]
        assert np.isnan(path[len(seen) :]).all()
        assert seen[0] == 1
        assert (np.abs(np.diff(seen)) == 1).all()
        assert ((0 < seen[:-1]) & (seen[:-1] < 3)).all()


@pytest.mark.slow
@pytest.mark.parametrize("config", [SHEET, SHORT, OTHER])
def test_every_estimator_within_4_standard_errors(config: Importance) -> None:
    """Of the exact answer; its observed relative error within 4 of its own of the exact one."""
    record, metrics = measured(config)
    methods, exact = metrics["methods"], outcome(config)
    assert list(methods) == METHODS
    for name, method in methods.items():
        assert abs(method.get("z_score", 0)) < 4, name
        if "replicated" in method:
            assert abs(method["replicated"]["z_score"]) < 4, name
        if "hits" not in method or method["hits"] < 30 or name == "doob":
            continue
        expected = method["exact_relative_error"].value
        observed = method.get("replicated", method)["relative_error"]
        assert abs(observed.z_score(expected)) < 4, name
        assert method["probability"].n == 3000
    assert methods["doob"]["probability"].value == pytest.approx(exact.probability)
    sheet = record.walks["sheet"]
    assert sheet.paths.shape == (5, len(record.ticks))
    assert sheet.relative.shape == (3000,)
    assert sheet.relative.mean() == pytest.approx(
        methods["sheet"]["probability"].value / exact.probability
    )
    assert sheet.hit_share == methods["sheet"]["hits"] / 3000
    assert len(sheet.log10_weights) == methods["sheet"]["hits"]
    assert record.coverage["normal"].value.shape == record.observed.value.shape == (3,)
    assert list(metrics)[-1] == "labels"
    assert metrics["labels"]["methods"].keys() == methods.keys()
    kinds = {kind for method in methods.values() for kind in method.get("coverage", {})}
    assert kinds == metrics["labels"]["intervals"].keys()


def test_names_of_the_arrays(tmp_path: Path) -> None:
    """What is written is read again, in the order in which the study finds it."""
    record = measured(SHORT)[0]
    write_record(tmp_path / "arrays.npz", record)
    names = list(record.to_arrays())
    assert names[:10] == [
        "q",
        "exact_relative_error",
        "defensive_relative_error",
        "coverage_q",
        "observed_relative_error",
        "observed_relative_error_standard_error",
        "coverage_normal",
        "coverage_normal_standard_error",
        "coverage_log_normal",
        "coverage_log_normal_standard_error",
    ]
    assert names[10:13] == ["ticks", "optimal", "hit"]
    each = [(f"relative_{name}", f"paths_{name}") for name in METHODS[:11]]
    grown = [(f"variance_{name}", f"variance_error_{name}", f"plays_{name}") for name in METHODS]
    walked = [name for pair in each for name in pair]
    assert names[13:] == [*walked, "rarity", *(name for part in grown for name in part)]
    again = read_record(tmp_path / "arrays.npz", RareEvent)
    assert list(again.to_arrays()) == names
    for name, x in again.to_arrays().items():
        np.testing.assert_array_equal(x, record.to_arrays()[name])


def test_the_record_derives_what_figures_show() -> None:
    record = measured(SHORT)[0]
    exact = [relative_deviation(SHORT, q) / 3000**0.5 for q in record.coverage_q]
    np.testing.assert_allclose(record.expected, exact, rtol=0.01)
    shares = record.coverage["normal"]
    np.testing.assert_allclose(shares.margin, 1.96 * shares.standard_error)
    law, t = record.hitting_time, np.arange(SHORT.plays + 1)
    hit = outcome(SHORT).hit / outcome(SHORT).probability
    assert law.probability.sum() == pytest.approx(1)
    assert law.mean == pytest.approx(hit @ t)
    assert law.deviation == pytest.approx((hit @ t**2 - (hit @ t) ** 2) ** 0.5)


def test_the_ladder_goes_from_the_largest_error_to_the_smallest() -> None:
    """Its names are the labels' order, and those without variance are left out of the table."""
    metrics = measured(SHEET)[1]
    order = list(metrics["labels"]["methods"])
    assert order == by_error(metrics["methods"])
    assert order[0] == "crude"
    assert order[-1] == "doob"
    rows = relative_errors(metrics)
    errors = [row["relative_error"] for row in rows]
    assert errors == sorted(errors, reverse=True)
    assert [row["rank"] for row in rows] == list(range(14))
    assert [row["estimator"] for row in rows] == list(metrics["labels"]["methods"].values())[:-1]
    by_label = {row["estimator"]: row for row in rows}
    for name in ("brownian", "learned"):
        row, method = by_label[metrics["labels"]["methods"][name]], metrics["methods"][name]
        assert row["learning"] == method.get("learning", 0)
        assert (row["learning"] > 10**7) == (name == "learned")
        assert row["plays_needed"] == pytest.approx(row["learning"] + row["work"] / 0.01**2)


@pytest.mark.parametrize("share", [0.02, 0.6])
def test_a_second_mixture_has_its_own_coverage(share: float) -> None:
    """Not that of the configuration's q and share: within 4 standard errors of played paths."""
    config = SHORT.model_copy(update={"paths": 30})
    mixture, draws = Mixture((share, 1 - share), (SHORT.p, 0.9)), Draws(0, "second")
    entry = judge(config, mixture, tally(config, mixture, 30, draws), draws)
    centre, error = replicate(config, mixture, 30, 2000, draws.named("oracle"))
    for kind, slow in share_covered(centre, error, 1.0).items():
        fast = entry["coverage"][kind]
        combined = np.hypot(slow.standard_error, fast.standard_error)
        assert abs(slow.value - fast.value) < 4 * combined
        configured = Mixture((config.defensive, 1 - config.defensive), (config.p, config.q))
        wrong = coverage(config, configured, 30, 1000, draws.stream(0))[kind]
        assert abs(slow.value - wrong.value) > 4 * combined
    assert "q" not in entry
    assert "clopper_pearson" not in entry["intervals"]


def test_paths_without_weights_are_known_by_themselves() -> None:
    """Whatever the proposal is called."""
    draws = Draws(0, "another name")
    for proposal, plain in ((Constant(SHORT.p), True), (Constant(0.5), False)):
        entry = judge(SHORT, proposal, tally(SHORT, proposal, 3000, draws), draws)
        assert ("clopper_pearson" in entry["intervals"]) == plain
        assert ("clopper_pearson" in entry["coverage"]) == plain


@pytest.mark.parametrize(
    "constants",
    [
        {"p": 0.9, "q": 0.9, "start": 100, "target": 200, "plays": 600},  # certain, but for 1e-60
        {"p": 0.99, "q": 0.98, "start": 10, "target": 12, "plays": 600},
        {"p": 0.3, "q": 0.5, "start": 1, "target": 2, "plays": 1},  # one play decides
        {"p": 0.4, "q": 0.9, "start": 5, "target": 9, "plays": 4},  # every play must be won
    ],
)
def test_events_without_any_variance(constants: dict, tmp_path: Path) -> None:
    """Every number is finite, and every estimate within 4 of its exact standard errors."""
    config = Importance(paths=500, **constants, **COARSE)
    metrics = measure(config)[1]
    write_metrics(tmp_path / "metrics.json", metrics)
    exact = outcome(config).probability
    for name, method in metrics["methods"].items():
        assert abs(method.get("z_score", 0)) < 4, name
        if "z_score" not in method and "exact_relative_error" in method and method["hits"]:
            error = max(4 * method["exact_relative_error"].value, 1e-6)
            assert method["probability"].value == pytest.approx(exact, rel=error), name


def test_metrics_of_the_sheets_constants() -> None:
    metrics = measured(SHEET)[1]
    methods = metrics["methods"]
    assert methods["sheet"]["exact_relative_error"].value == pytest.approx(0.0705, abs=5e-5)
    assert metrics["exact"]["crude_relative_error"].value == pytest.approx(11.81, abs=5e-3)
    assert metrics["exact"]["optimal_relative_error"].value == pytest.approx(0.0244, abs=5e-5)
    assert "probability" not in methods["crude"]
    ends = {"lower": 0, "upper": pytest.approx(1 - 0.025 ** (1 / 3000))}
    assert methods["crude"]["intervals"] == {"clopper_pearson": ends}
    for name, quantile in (("sheet", 1.959964), ("splitting_by_reach", 2.045230)):
        estimate, found = methods[name]["probability"], methods[name]["intervals"]
        half = quantile * estimate.standard_error
        assert found["normal"]["upper"] == pytest.approx(estimate.value + half)
        ratio = np.exp(half / estimate.value)
        assert found["log_normal"]["lower"] == pytest.approx(estimate.value / ratio)
    assert methods["sheet"]["weights"]["of_hits"]["effective_sample_size"] < 3000


def test_the_backdrop_is_doobs_transform() -> None:
    found = backdrop(SHORT)
    rows = np.array(list(Doob().rows(SHORT)))
    assert found["ticks"].tolist() == list(range(41))
    seen = np.isfinite(found["optimal"])
    np.testing.assert_allclose(found["optimal"][seen], rows[seen], rtol=1e-6)
    assert seen[0, 1:10].all()
    assert not seen[-1, :9].any()  # before the last play, two chips are out of reach
    long = backdrop(SHORT.model_copy(update={"plays": 1000}))
    assert len(long["ticks"]) == 301
    assert long["optimal"].shape == (300, 11)


def test_no_hit_at_all_is_an_error_and_not_a_zero() -> None:
    crude = SHEET.model_copy(update={"q": SHEET.p})
    with pytest.raises(
        InputError, match=r"none of the 3000 paths reached 200: raise importance.q"
    ):
        measure(crude)
