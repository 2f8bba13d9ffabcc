from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from nicelab.errors import InputError
from nicelab.importance.cross_entropy import CrossEntropy, Elite, Family, Learned, _elite, learn
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.learned import constant, features, logistic, timed
from nicelab.importance.proposals import Brownian, Constant, Doob, Proposal
from nicelab.importance.simulation import Games
from nicelab.importance.weights import relative_variance
from nicelab.statistics import difference, mean

SHEET = Gambler(start=100, target=200, plays=600, p="18/37")
SMALL = Gambler(start=3, target=20, plays=60, p=0.45)
ROUNDS = CrossEntropy(paths=20_000, rounds=3)
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
    config = CrossEntropy(paths=3000, rounds=2)
    found = learned_q(gambler, constant, config)
    error = np.std(found, ddof=1) / len(found) ** 0.5
    assert abs(np.mean(found) - exact_constant(gambler)) < 4 * error + 1e-4

    def unweighted(elite: Elite) -> Constant:
        return constant(replace(elite, weight=(elite.weight > 0).astype(float)))

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
    """Below 0.001, from 2000 paths a round: the Brownian transform has 0.009."""
    rounds = CrossEntropy(paths=2000, rounds=3)
    found = learn(SHEET, logistic, rounds, DRAWS, first=learn(SHEET, constant, rounds, DRAWS))
    assert relative_variance(SHEET, found.proposal) < 0.001


def elite(gambler: Gambler, proposal: Proposal, paths: int) -> Elite:
    return _elite(Games(gambler, paths), proposal, DRAWS.stream(0))


def test_cells_are_the_sums_by_play_and_balance() -> None:
    """By the definition, one play of one path after another."""
    found, games, wins = elite(SMALL, Brownian(), 40), {}, {}
    rows = list(Brownian().rows(SMALL))
    for steps, w in zip(found.steps.T, found.weight, strict=True):
        x = SMALL.start
        for t, step in enumerate(steps[steps != 0]):
            q = rows[t][x]
            games[t, x] = games.get((t, x), 0) + w
            excess = (w - found.weight.mean()) * ((step > 0) - q)
            wins[t, x] = wins.get((t, x), 0) + w * q + excess
            x += step
    cells = found.cells()
    places = list(zip(cells.play.tolist(), cells.balance.tolist(), strict=True))
    assert sorted(places) == sorted(games)
    np.testing.assert_allclose(cells.games, [games[place] for place in places])
    np.testing.assert_allclose(cells.wins, [wins[place] for place in places])


def test_the_control_variate_leaves_less_noise() -> None:
    """Of the excess of wins over q₀, from which all is learned: the same mean, less variance."""
    rows, plain, varied = np.stack(list(Brownian().rows(SMALL))), [], []
    for block in range(200):
        found = _elite(Games(SMALL, 100), Brownian(), DRAWS.stream(block))
        before = SMALL.start + found.steps.cumsum(0, dtype=int) - found.steps
        q = np.take_along_axis(rows, before, 1)
        beyond = ((found.steps > 0) - q) * (found.steps != 0)
        plain.append((beyond @ found.weight).sum() / found.weight.sum())
        cells = found.cells()
        expected = rows[cells.play, cells.balance] * cells.games
        varied.append((cells.wins - expected).sum() / found.weight.sum())
    assert abs(difference(mean(plain), mean(varied)).z_score(0)) < 4
    assert np.var(varied) < 0.3 * np.var(plain)


def test_features_by_hand() -> None:
    """Three chips to climb in ten plays, and none in four."""
    z = 3 / 10**0.5
    bell = np.exp(-(z**2) / 2)
    need = np.log(1.3 / 0.7) / 2
    three = [1, need, 0.09, 10**-0.5, 0.1, need / 10**0.5, np.exp(-z), bell, bell / 10**0.5]
    none = [1, 0, 0, 0.5, 0.25, 0, 1, 1, 0.5]
    np.testing.assert_allclose(features(np.array([3, 0]), np.array([10, 4])), [three, none])


def test_a_regression_is_at_its_optimum() -> None:
    """The gradient of its likelihood with its prior, by autograd, is 0 there and nowhere else."""
    found = elite(SMALL, Brownian(), 500)
    cells = found.cells()
    x = torch.from_numpy(features(SMALL.target - cells.balance, SMALL.plays - cells.play))
    games, wins = torch.from_numpy(cells.games), torch.from_numpy(cells.wins)

    def loss(beta: torch.Tensor) -> torch.Tensor:
        log_q = torch.stack([logsigmoid(x @ beta), logsigmoid(-(x @ beta))])
        likelihood = wins @ log_q[0] + (games - wins) @ log_q[1]
        return beta @ beta / 2 - likelihood * found.plays() / games.sum()

    beta = torch.from_numpy(logistic(found).coefficients)
    scale = float(torch.func.grad(loss)(torch.zeros_like(beta)).abs().max())
    assert float(torch.func.grad(loss)(beta).abs().max()) < 1e-6 * scale


def test_features_are_finite_everywhere() -> None:
    climb, left = np.meshgrid(np.arange(2001), np.arange(1, 600))
    assert np.isfinite(features(climb.ravel(), left.ravel())).all()


def test_learning_is_deterministic() -> None:
    config = CrossEntropy(paths=500, rounds=1)
    for family in (constant, timed, logistic):
        found = [learn(SMALL, family, config, DRAWS) for _ in range(2)]
        np.testing.assert_array_equal(*(np.stack(list(x.proposal.rows(SMALL))) for x in found))


def test_plays_of_learning_are_counted() -> None:
    """A fair game of one play: each round plays every path twice; with a start its plays count."""
    game = Gambler(start=1, target=2, plays=1, p=0.5)
    config = CrossEntropy(paths=100, rounds=3)
    found = learn(game, constant, config, DRAWS)
    assert found.plays == 2 * 3 * 100
    again = learn(game, constant, config, DRAWS, Learned(Constant(0.5), 7))
    assert again.plays == found.plays + 7


def test_no_path_on_the_way_is_an_error() -> None:
    hopeless = Gambler(start=50, target=100, plays=60, p=0.001)
    with pytest.raises(InputError, match=r"raise importance\.cross_entropy\.paths"):
        learn(hopeless, constant, CrossEntropy(paths=100, rounds=1), DRAWS)
