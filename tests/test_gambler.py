from itertools import product

import numpy as np
import pytest
from scipy.special import comb

from nicelab.importance.gambler import Gambler, log_weight, optimal_q, outcome, relative_deviation

SHEET = Gambler(start=100, target=200, plays=600, p="18/37")
SMALL = Gambler(start=2, target=5, plays=9, p=0.4)


def enumerate_games(gambler: Gambler, q: float) -> dict[str, float]:
    """Every sequence of plays, one by one."""
    ends = {"hit": 0.0, "ruin": 0.0, "undecided": 0.0, "second_moment": 0.0}
    for plays in product((1, -1), repeat=gambler.plays):
        chips, wins = gambler.start, 0
        end, t = "undecided", len(plays)
        for k, step in enumerate(plays, 1):
            chips, wins = chips + step, wins + (step > 0)
            if chips in (0, gambler.target):
                end, t = ("hit" if chips else "ruin"), k
                break
        all_wins = sum(step > 0 for step in plays)
        losses = len(plays) - all_wins
        ends[end] += gambler.p**all_wins * (1 - gambler.p) ** losses
        if end == "hit":
            w = (gambler.p / q) ** wins * ((1 - gambler.p) / (1 - q)) ** (t - wins)
            ends["second_moment"] += w**2 * q**all_wins * (1 - q) ** losses
    return ends


def test_outcome_is_that_of_enumeration() -> None:
    slow, fast = enumerate_games(SMALL, 0.5), outcome(SMALL)
    assert fast.probability == pytest.approx(slow["hit"], rel=1e-12)
    assert fast.ruin == pytest.approx(slow["ruin"], rel=1e-12)
    assert fast.undecided == pytest.approx(slow["undecided"], rel=1e-12)


@pytest.mark.parametrize("q", [0.3, 0.55, 0.8])
def test_deviation_is_that_of_enumeration(q: float) -> None:
    slow = enumerate_games(SMALL, q)
    relative_variance = slow["second_moment"] / slow["hit"] ** 2 - 1
    assert relative_deviation(SMALL, q) == pytest.approx(np.sqrt(relative_variance), rel=1e-10)


def test_published_constants() -> None:
    exact = outcome(SHEET)
    assert exact.probability == pytest.approx(2.388383450607e-06, rel=1e-11)
    assert exact.undecided == pytest.approx(0.9994652415, abs=5e-11)
    t = np.arange(601)
    mean = (t * exact.hit).sum() / exact.probability
    assert mean == pytest.approx(544.09, abs=5e-3)
    sd = np.sqrt(((t - mean) ** 2 * exact.hit).sum() / exact.probability)
    assert sd == pytest.approx(48.14, abs=5e-3)


@pytest.mark.parametrize(
    ("q", "deviation", "digits"),
    [(18 / 37, 647.06, 5e-3), (19 / 37, 43.33, 5e-3), (0.55, 3.860, 5e-4), (0.58807, 1.337, 5e-4)],
)
def test_published_deviations(q: float, deviation: float, digits: float) -> None:
    assert relative_deviation(SHEET, q) == pytest.approx(deviation, abs=digits)


@pytest.mark.parametrize(
    ("q", "alone", "mixed"), [(0.55, 7.05, 7.45), (0.68, 866, 844), (0.70, 15811, 2833)]
)
def test_a_defensive_share_is_no_defence_here(q: float, alone: float, mixed: float) -> None:
    """Exact errors of 3000 paths in per cent: bounded, by more than that of p alone, 1181 %."""
    for share, expected in ((0.0, alone), (0.1, mixed)):
        found = 100 * relative_deviation(SHEET, q, share) / 3000**0.5
        assert found == pytest.approx(expected, rel=1e-3)
    bound = (1 / (0.1 * outcome(SHEET).probability) - 1) ** 0.5
    assert relative_deviation(SHEET, q, 0.1) < bound
    assert relative_deviation(SHEET, SHEET.p) < bound < relative_deviation(SHEET, 0.70)


def test_a_transposed_weight_would_be_seen() -> None:
    t = np.array([100.0, 300.0])
    right = log_weight(SHEET, 0.55, t)
    wrong = -right
    assert not np.allclose(right, wrong)
    wins = (t + 100) / 2
    by_hand = wins * np.log(SHEET.p / 0.55) + (t - wins) * np.log((1 - SHEET.p) / 0.45)
    np.testing.assert_allclose(right, by_hand)


def test_hitting_counts_are_ballot_numbers() -> None:
    """Far from ruin, N(T = t) = d/t · C(t, (t + d)/2)."""
    gambler = Gambler(start=100, target=103, plays=21, p=0.5)
    hit = outcome(gambler).hit
    for t in range(3, 22, 2):
        assert hit[t] == pytest.approx(3 / t * comb(t, (t + 3) // 2) / 2**t, rel=1e-12)
    assert (hit[::2] == 0).all()


def test_without_the_cap_ruin_and_win_have_the_textbook_ratio() -> None:
    long = outcome(Gambler(start=10, target=20, plays=5000, p="18/37"))
    assert long.probability == pytest.approx((18 / 19) ** 10 * long.ruin, rel=1e-9)


def test_the_optimal_proposal() -> None:
    q = optimal_q(SHEET)
    assert q == pytest.approx(0.58807, abs=5e-6)
    around = relative_deviation(SHEET, np.array([q - 1e-3, q, q + 1e-3]))
    assert around.argmin() == 1


def test_zero_deviation_where_there_is_one_path() -> None:
    assert relative_deviation(Gambler(start=1, target=2, plays=1, p=0.3), 1 - 1e-12) < 1e-5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": 200}, "probability 1, exactly, .* got start 200, target 200"),
        ({"start": 0}, "probability 0, exactly, .* got start 0"),
        ({"start": -1}, "greater than or equal to 0"),
        ({"plays": 99}, "probability 0, exactly, .* plays 99"),
        ({"p": "18/0"}, "valid number"),
        ({"p": "often"}, "valid number"),
        ({"p": 1.0}, "probability 1, exactly, .* p 1"),
        ({"p": 0.0}, "probability 0, exactly, .* p 0"),
        ({"p": 1.2}, "less than or equal to 1"),
    ],
)
def test_bad_constants(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Gambler(**{**SHEET.model_dump(), **changes})
