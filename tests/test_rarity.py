"""Errors in games of ever rarer events."""

from functools import cache

import numpy as np
import pytest

from games import played
from nicelab.errors import InputError
from nicelab.importance.config import Rarer
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import outcome
from nicelab.importance.proposals import Brownian, Constant, large_deviation
from nicelab.importance.rarity import limit, rarity, scaled
from nicelab.importance.records import Growth
from nicelab.importance.weights import require_unbiased
from nicelab.statistics import mean
from test_importance import SHEET

SCALES = (1, 3, 4, 5, 6, 8)
CONFIG = SHEET.model_copy(
    update={
        "start": 20,
        "target": 40,
        "plays": 120,
        "rarer": SHEET.rarer.model_copy(update={"scales": SCALES}),
    }
)
grown = cache(lambda: rarity(CONFIG, Draws(0)))


def test_games_keep_the_straight_way() -> None:
    game = scaled(SHEET, 0.25)
    assert (game.start, game.target, game.plays, game.p) == (25, 50, 150, SHEET.p)
    assert game.splitting.levels == round(0.25 * SHEET.splitting.levels)


def test_crude_relative_variance_is_that_of_a_share() -> None:
    """V = 1/I − 1, so its exponent is 1 and there is no power beside it."""
    fields, metrics = grown()
    for game in metrics["games"]:
        exact = outcome(scaled(CONFIG, game["scale"])).probability
        assert game["log10_probability"] == pytest.approx(np.log10(exact))
    np.testing.assert_allclose(1 + fields["growth"]["crude"].variance, 10 ** -fields["rarity"])
    crude = metrics["methods"]["crude"]
    assert crude["exponential"].value == pytest.approx(1, abs=1e-6)
    assert crude["polynomial"].value == pytest.approx(0, abs=1e-5)
    assert crude["limit"].value == pytest.approx(1, abs=1e-12)


def test_doob_has_no_variance_however_rare() -> None:
    assert not grown()[0]["growth"]["doob"].variance.any()


@pytest.mark.parametrize("q", [19 / 37, 0.55, 7 / 12, 0.62])
def test_limit_is_where_exact_second_moments_go(q: float) -> None:
    """Between two rare games of the sheet's, log(1 + V) grows by β log(1/I) and a little more."""
    games = [scaled(SHEET, s) for s in (8, 12)]
    moments = [np.log1p(require_unbiased(game, Constant(q)).relative_variance) for game in games]
    sizes = [-np.log(outcome(game).probability) for game in games]
    slope = np.diff(moments)[0] / np.diff(sizes)[0]
    assert slope == pytest.approx(limit(SHEET, q), abs=0.006)


def test_the_straight_way_is_logarithmically_efficient() -> None:
    """And no other constant q is; a limit without the weights would say so of all."""
    assert limit(SHEET, large_deviation(SHEET).q) == pytest.approx(0, abs=1e-9)
    assert min(limit(SHEET, q) for q in (SHEET.p, 1 - SHEET.p, 0.55, 0.62)) > 0.02


@pytest.mark.parametrize("proposal", [Constant(0.55), Brownian()])
def test_expected_plays_are_those_of_paths(proposal: Constant | Brownian) -> None:
    """Within 4 standard errors."""
    expected = require_unbiased(SHEET, proposal).plays
    assert abs(mean(played(SHEET, proposal, 5000).plays).z_score(expected)) < 4


def test_observed_variance_is_none_where_the_groups_missed_the_event() -> None:
    """With levels on the balance alone, ten paths a group find little of the rarest game."""
    few = CONFIG.model_copy(update={"paths": 30})
    growth = rarity(few, Draws(0))[0]["growth"]
    assert np.isnan(growth["splitting_by_balance"].variance[-1])
    assert np.isfinite(growth["particle_filter"].variance).all()


def test_the_error_of_an_error() -> None:
    """By the delta method, against small changes of the variance; none where nothing varies."""
    growth = Growth(
        variance=np.array([0.04, 0.0]),
        standard_error=np.array([0.004, 0.0]),
        plays=np.array([10.0, 10.0]),
    )
    found = growth.relative_error(100)
    assert found.value.tolist() == pytest.approx([0.02, 0])
    moved = [((0.04 + sign * 1e-6) / 100) ** 0.5 for sign in (1, -1)]
    slope = (moved[0] - moved[1]) / 2e-6
    assert found.standard_error.tolist() == pytest.approx([0.004 * slope, 0])


def test_a_probability_below_the_smallest_number_is_refused() -> None:
    with pytest.raises(InputError, match="rarer.scales: with 100 times the chips"):
        scaled(SHEET, 100)


def test_too_few_rare_games_have_no_exponents() -> None:
    few = CONFIG.model_copy(update={"rarer": Rarer(scales=(0.5, 1))})
    assert "exponential" not in rarity(few, Draws(0))[1]["methods"]["brownian"]
