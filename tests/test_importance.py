import numpy as np
import pytest

from nicelab.device import generator
from nicelab.errors import InputError
from nicelab.gambler import Gambler, outcome, relative_deviation
from nicelab.importance import Importance, balances, simulate, stopped, study
from nicelab.statistics import mean, relative_error

SHEET = Importance(
    start=100, target=200, plays=600, p="18/37", q=0.55, paths=3000, shown=5, seed=0
)
OTHERS = (
    (SHEET, 0.55),
    (Gambler(start=5, target=10, plays=40, p=0.4), 0.55),
    (Gambler(start=3, target=20, plays=60, p=0.45), 0.6),
)


@pytest.mark.parametrize(("gambler", "q"), OTHERS)
def test_estimate_within_4_standard_errors(gambler: Gambler, q: float) -> None:
    samples = simulate(gambler, q, 20_000, generator(1)).samples
    exact = outcome(gambler).probability
    assert abs(mean(samples).z_score(exact)) < 4
    exact_error = float(relative_deviation(gambler, q)) / 20_000**0.5
    assert abs(relative_error(samples).z_score(exact_error)) < 4


@pytest.mark.parametrize(("gambler", "q"), OTHERS)
def test_a_transposed_weight_fails_that_test(gambler: Gambler, q: float) -> None:
    paths = simulate(gambler, q, 20_000, generator(1))
    wrong = np.where(paths.hit, np.exp(-paths.log_weight), 0.0)
    assert abs(mean(wrong).z_score(outcome(gambler).probability)) > 4


def test_weights_average_to_one() -> None:
    """E_q[w] = 1 over all paths, hits or not, within 4 standard errors."""
    gambler = Gambler(start=5, target=10, plays=20, p=0.45)
    weights = np.exp(simulate(gambler, 0.5, 50_000, generator(0)).log_weight)
    assert abs(mean(weights).z_score(1)) < 4


def test_a_slow_loop_gives_the_same_paths() -> None:
    gambler, q, n = Gambler(start=3, target=6, plays=12, p=0.45), 0.55, 200
    fast = simulate(gambler, q, n, generator(0))
    for k, chips in enumerate(balances(gambler, q, n, generator(0))):
        before, log_w, plays = gambler.start, 0.0, 0
        for now in chips:
            won = now > before
            log_w += np.log(gambler.p / q) if won else np.log((1 - gambler.p) / (1 - q))
            before, plays = now, plays + 1
            if now in (0, gambler.target):
                break
        assert fast.hit[k] == (now == gambler.target)
        assert fast.log_weight[k] == pytest.approx(log_w)
        assert fast.plays[k] == plays


def test_blocks_do_not_change_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nicelab.importance.BLOCK", 7 * SHEET.plays)
    paths = simulate(SHEET, 0.55, 23, generator(0))
    assert paths.hit.shape == paths.plays.shape == (23,)


def test_a_last_play_on_the_target_counts() -> None:
    gambler = Gambler(start=1, target=3, plays=2, p=0.5)
    paths = simulate(gambler, 0.999999, 50, generator(0))
    assert paths.hit.all()
    assert (paths.plays == 2).all()


def test_stopped_paths_end() -> None:
    gambler = Gambler(start=1, target=3, plays=20, p=0.5)
    chips = balances(gambler, 0.5, 30, generator(0))
    plays = simulate(gambler, 0.5, 30, generator(0)).plays
    assert (np.isfinite(stopped(gambler, chips)).sum(1) == plays).all()


def test_study() -> None:
    curves, metrics = study(SHEET)
    sheet = metrics["methods"]["sheet"]
    assert sheet["exact_relative_error"].value == pytest.approx(0.0705, abs=5e-5)
    assert metrics["exact"]["crude_relative_error"].value == pytest.approx(11.81, abs=5e-3)
    assert metrics["exact"]["optimal_relative_error"].value == pytest.approx(0.0244, abs=5e-5)
    observed = sheet["relative_error"]
    assert abs(observed.z_score(sheet["exact_relative_error"].value)) < 4
    assert sheet["probability"].n == 3000
    assert curves["paths"].shape == (5, 600)


def test_no_hit_at_all_is_an_error_and_not_a_zero() -> None:
    crude = SHEET.model_copy(update={"q": SHEET.p})
    with pytest.raises(
        InputError, match=r"none of the 3000 paths reached 200: raise importance.q"
    ):
        study(crude)
