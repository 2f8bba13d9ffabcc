"""Adaptive splitting and the twisted particle filter."""

import numpy as np
import pytest

from nicelab.importance import particles
from nicelab.importance.adaptive import HEIGHTS, _adapt, adaptive
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.groups import Groups, Splitting, in_groups
from nicelab.importance.particles import _filter, brownian, moves, twisted
from nicelab.importance.proposals import Table
from nicelab.importance.splitting import by_reach
from nicelab.importance.weights import relative_variance
from nicelab.statistics import mean, standard_deviation

SHEET = Gambler(start=100, target=200, plays=600, p="18/37")
SHORT = Gambler(start=5, target=10, plays=40, p=0.4)
OTHER = Gambler(start=3, target=20, plays=60, p=0.45)
CONFIG = Splitting(levels=1, groups=2, killed=0.1, effective=0.5, replicates=20)
DRAWS = Draws(0, "test")


@pytest.mark.parametrize("gambler", [SHEET, SHORT, OTHER])
@pytest.mark.parametrize("estimates", [adaptive, twisted])
def test_estimate_within_4_standard_errors(gambler: Gambler, estimates: Groups) -> None:
    found, plays = estimates(gambler, CONFIG, 100, 300, DRAWS)
    assert abs(mean(found).z_score(outcome(gambler).probability)) < 4
    assert (plays > 0).all()


def test_the_last_play_counts() -> None:
    """A game of one play: every path plays it once, and again only if it is drawn anew."""
    game = Gambler(start=1, target=2, plays=1, p=0.5)
    found, plays = adaptive(game, CONFIG, 20, 500, DRAWS)
    assert abs(mean(found).z_score(0.5)) < 4
    assert plays.min() >= 20


def test_paths_that_stop_a_chip_early_fail_that_test() -> None:
    height = by_reach(SHORT, 100)

    def estimates(height: np.ndarray) -> np.ndarray:
        return in_groups(lambda random: _adapt(height, 5, 0.4, 60, 6, random), 200, DRAWS)[0]

    exact = outcome(SHORT).probability
    assert abs(mean(estimates(height)).z_score(exact)) < 4
    height[:, SHORT.target - 1] = 100
    assert abs(mean(estimates(height)).z_score(exact)) > 4


def test_one_of_two_killed_at_a_time_is_unbiased_too() -> None:
    """However few the paths: with two of them, estimates are crude but right on average."""
    found, _ = adaptive(SHORT, CONFIG, 2, 20_000, DRAWS)
    assert abs(mean(found).z_score(outcome(SHORT).probability)) < 4


def test_heights_are_told_apart() -> None:
    assert HEIGHTS <= np.iinfo(by_reach(SHORT, HEIGHTS).dtype).max


def slow(gambler: Gambler, n: int, effective: float, random: np.random.Generator) -> float:
    """The same filter by its definition, one play of one particle after another."""
    h, p = np.exp(brownian(gambler)), gambler.p
    chips, weight, estimate = [gambler.start] * n, [1.0] * n, h[0, gambler.start]
    for t in range(1, gambler.plays + 1):
        for i, x in enumerate(chips):
            if x in (0, gambler.target) or not weight[i]:
                continue
            up, down = p * h[t, x + 1], (1 - p) * h[t, x - 1]
            weight[i] *= (up + down) / h[t - 1, x]
            if up + down:
                chips[i] += 1 if random.random() < up / (up + down) else -1
        if not any(weight):
            return 0.0
        if sum(weight) ** 2 < effective * n * sum(w * w for w in weight):
            estimate *= sum(weight) / n
            share = np.array(weight) / sum(weight)
            places = (random.random() + np.arange(n)) / n
            chips = [chips[i] for i in np.searchsorted(np.cumsum(share)[:-1], places)]
            weight = [1.0] * n
    return estimate * sum(w for w, x in zip(weight, chips, strict=True) if x == gambler.target) / n


@pytest.mark.parametrize("effective", [0.5, 0.99])
def test_filter_is_the_one_of_the_definition(effective: float) -> None:
    """The same random numbers give the same estimate, with rounding apart."""
    for gambler in (SHORT, OTHER):
        log_h = brownian(gambler)
        first = np.exp(log_h[0, gambler.start])
        for seed in range(5):
            random = np.random.default_rng(seed)
            fast, _ = _filter(*moves(log_h, gambler.p), gambler.start, 20, effective, random)
            one = slow(gambler, 20, effective, np.random.default_rng(seed))
            assert first * fast == pytest.approx(one, rel=1e-9)


def test_without_resampling_it_is_a_proposal() -> None:
    """Its relative variance is the exact one of the q that it plays with, within 4 errors."""
    never = CONFIG.model_copy(update={"effective": 1e-9})
    found, _ = twisted(OTHER, never, 1, 20_000, DRAWS)
    win, _ = moves(brownian(OTHER), OTHER.p)
    exact = relative_variance(OTHER, Table(win)) ** 0.5
    observed = standard_deviation(found / outcome(OTHER).probability)
    assert abs(observed.z_score(exact)) < 4


def test_a_transform_that_is_not_one_at_the_target_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = brownian(SHORT)
    wrong[:, -1] = np.log(1.1)
    monkeypatch.setattr(particles, "brownian", lambda gambler: wrong)
    found, _ = twisted(SHORT, CONFIG, 100, 300, DRAWS)
    assert abs(mean(found).z_score(outcome(SHORT).probability)) > 4


@pytest.mark.parametrize("estimates", [adaptive, twisted])
def test_nothing_arrives(estimates: Groups) -> None:
    """Two particles of which none can win every play: the estimate is 0, or, twisted, right."""
    gambler = Gambler(start=1, target=60, plays=60, p=0.1)
    found, plays = estimates(gambler, CONFIG, 2, 3, DRAWS)
    exact = outcome(gambler).probability
    assert ((found == 0) | np.isclose(found, exact)).all()
    assert np.isfinite(plays).all()
