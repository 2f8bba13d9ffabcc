import numpy as np
import pytest

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.splitting import LevelFunction, by_balance, by_reach, split
from nicelab.statistics import mean

SHEET = Gambler(start=100, target=200, plays=600, p="18/37")
SHORT = Gambler(start=5, target=10, plays=40, p=0.4)
OTHER = Gambler(start=3, target=20, plays=60, p=0.45)
DRAWS = Draws(0, "test")


@pytest.mark.parametrize("gambler", [SHEET, SHORT, OTHER])
@pytest.mark.parametrize("level_function", [by_balance, by_reach])
def test_estimate_within_4_standard_errors(
    gambler: Gambler, level_function: LevelFunction
) -> None:
    estimates, _ = split(gambler, level_function(gambler, 12), 200, 150, DRAWS)
    assert abs(mean(estimates).z_score(outcome(gambler).probability)) < 4


def test_paths_that_stop_a_chip_early_fail_that_test() -> None:
    level = by_balance(SHORT, 5).copy()
    level[:, SHORT.target - 1] = 5
    estimates, _ = split(SHORT, level, 200, 150, DRAWS)
    assert abs(mean(estimates).z_score(outcome(SHORT).probability)) > 4


def test_one_level_is_crude_monte_carlo() -> None:
    estimates, plays = split(SHORT, by_balance(SHORT, 1), 1000, 50, DRAWS)
    share = estimates * 1000
    np.testing.assert_allclose(share, np.round(share))
    exact = outcome(SHORT).probability
    binomial = (exact * (1 - exact) / 1000) ** 0.5
    assert estimates.std(ddof=1) == pytest.approx(binomial, rel=4 / 98**0.5)
    assert (plays > 0).all()


def test_levels() -> None:
    """From 0 at the start to the highest at the target alone; the second one knows the time."""
    for function in (by_balance, by_reach):
        level = function(SHEET, 20)
        assert level.shape == (601, 201)
        assert level[0, 100] == 0
        assert (level[:, 200] == 20).all()
        assert level[:, :200].max() < 20
        assert (np.diff(level, axis=1) >= 0).all()
    assert (np.diff(by_balance(SHEET, 20), axis=0) == 0).all()
    assert by_reach(SHEET, 20)[500, 150] < by_reach(SHEET, 20)[100, 150]


def test_a_level_function_that_knows_the_time_is_better() -> None:
    """Less relative variance, the paths being the same in number."""
    spread = {}
    for function in (by_balance, by_reach):
        estimates, _ = split(SHEET, function(SHEET, 20), 100, 300, DRAWS)
        spread[function] = estimates.std() / estimates.mean()
    assert spread[by_reach] < 0.6 * spread[by_balance]


def test_nothing_arrives() -> None:
    gambler = Gambler(start=1, target=60, plays=60, p=0.1)
    estimates, plays = split(gambler, by_balance(gambler, 2), 5, 3, DRAWS)
    assert (estimates == 0).all()
    assert (plays > 0).all()
