import numpy as np
import pytest

from nicelab.errors import InputError
from nicelab.importance.cross_entropy import (
    CrossEntropy,
    Elite,
    Family,
    Learned,
    constant,
    features,
    learn,
    logistic,
    timed,
)
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.proposals import Constant, Doob
from nicelab.importance.weights import relative_variance

SHEET = Gambler(start=100, target=200, plays=600, p="18/37")
SMALL = Gambler(start=3, target=20, plays=60, p=0.45)
ROUNDS = CrossEntropy(paths=20_000, rounds=3, plays=1_000_000)
DRAWS = Draws(0, "test")


def exact_constant(gambler: Gambler) -> float:
    """The cross-entropy optimum: wins over plays in expectation, given a hit."""
    hit, t = outcome(gambler).hit, np.arange(gambler.plays + 1)
    plays = (hit * t).sum() / hit.sum()
    return float((plays + gambler.target - gambler.start) / (2 * plays))


def learned_q(gambler: Gambler, family: Family, config: CrossEntropy) -> list[float]:
    """What is learned from 12 seeds."""
    draws = [Draws(seed, "test") for seed in range(12)]
    return [learn(gambler, family, config, each).proposal.q for each in draws]


@pytest.mark.parametrize("gambler", [SHEET, SMALL])
def test_the_constant_is_the_exact_optimum(gambler: Gambler) -> None:
    """Within 4 standard errors over repeated learning; weights left out are noticed."""
    config = CrossEntropy(paths=3000, rounds=2, plays=1000)
    found = learned_q(gambler, constant, config)
    error = np.std(found, ddof=1) / len(found) ** 0.5
    assert abs(np.mean(found) - exact_constant(gambler)) < 4 * error + 1e-4

    def unweighted(elite: Elite, random: np.random.Generator) -> Constant:
        hits = (elite.weight > 0).astype(float)
        return constant(Elite(elite.steps, hits, elite.gambler), random)

    wrong = learned_q(gambler, unweighted, config)
    assert abs(np.mean(wrong) - exact_constant(gambler)) > 4 * error + 1e-4


def test_published_optima() -> None:
    assert exact_constant(SHEET) == pytest.approx(0.59190, abs=5e-6)
    optimum = relative_variance(SHEET, Constant(exact_constant(SHEET)))
    assert optimum**0.5 == pytest.approx(1.356, abs=5e-4)


def test_q_by_play_is_better_than_constant_and_near_its_optimum() -> None:
    """The best q(t) has a relative standard deviation of 1.107; smoothing and noise cost some.

    The learned one is near it on average over the plays of the conditioned game; the best constant
    is not.
    """
    mass, best, going = np.zeros(SHEET.target + 1), [], []
    mass[SHEET.start] = 1
    for q in Doob().rows(SHEET):
        wins, losses = q * mass, (1 - q) * mass
        going.append(mass[1:-1].sum())
        best.append(wins[1:-1].sum() / going[-1])
        mass = np.zeros_like(mass)
        mass[2:] += wins[1:-1]
        mass[:-2] += losses[1:-1]
        mass[[0, -1]] = 0
    found = learn(SHEET, timed, ROUNDS, DRAWS).proposal
    assert np.average(np.abs(found.q - best), weights=going) < 0.002
    assert np.average(np.abs(np.array(best) - exact_constant(SHEET)), weights=going) > 0.002
    assert 1.106 < relative_variance(SHEET, found) ** 0.5 < 1.2


@pytest.mark.slow
def test_a_learned_proposal_has_hardly_any_variance() -> None:
    """Below 0.01, from samples alone."""
    by_play = learn(SHEET, timed, ROUNDS, DRAWS)
    found = learn(SHEET, logistic(ROUNDS.plays), ROUNDS, DRAWS, first=by_play)
    assert relative_variance(SHEET, found.proposal) < 0.01


def test_features_are_finite_everywhere() -> None:
    climb, left = np.meshgrid(np.arange(2001), np.arange(1, 600))
    assert np.isfinite(features(climb.ravel(), left.ravel())).all()


def test_learning_is_deterministic() -> None:
    config = CrossEntropy(paths=500, rounds=1, plays=5000)
    for family in (constant, timed, logistic(5000)):
        found = [learn(SMALL, family, config, DRAWS) for _ in range(2)]
        np.testing.assert_array_equal(*(np.stack(list(x.proposal.rows(SMALL))) for x in found))


def test_plays_of_learning_are_counted() -> None:
    """A fair game of one play: each round plays every path twice; with a start its plays count."""
    game = Gambler(start=1, target=2, plays=1, p=0.5)
    config = CrossEntropy(paths=100, rounds=3, plays=1000)
    found = learn(game, constant, config, DRAWS)
    assert found.plays == 2 * 3 * 100
    again = learn(game, constant, config, DRAWS, Learned(Constant(0.5), 7))
    assert again.plays == found.plays + 7


def test_no_path_on_the_way_is_an_error() -> None:
    hopeless = Gambler(start=50, target=100, plays=60, p=0.001)
    with pytest.raises(InputError, match=r"raise importance\.cross_entropy\.paths"):
        learn(hopeless, constant, CrossEntropy(paths=100, rounds=1, plays=1000), DRAWS)
