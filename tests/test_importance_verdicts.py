import numpy as np
import pytest

from nicelab.importance.config import Importance
from nicelab.importance.methods import Sees, Weighted, proposals, rivals
from nicelab.importance.proposals import Constant
from nicelab.importance.study import learning
from nicelab.importance.verdicts import (
    better,
    less_with_each,
    more_hits_with_less_error,
    pays_off_below,
    plays_needed,
)
from nicelab.statistics import Estimate


def exact(value: float) -> Estimate:
    return Estimate.exact(value)


def test_learning_is_part_of_the_plays_that_an_error_takes() -> None:
    """Left out, a learned proposal would take fewer than its rival."""
    learned = {"work": Estimate(4.0, 0.5, 100), "learning": 1_000_000}
    rival = {"work": Estimate(5.0, 0.5, 100)}
    assert plays_needed(learned) == Estimate(1_040_000.0, 5000.0, 100)
    assert plays_needed(rival).value == pytest.approx(50_000)
    assert plays_needed(learned, 1e-4).value == pytest.approx(401e6)


def test_where_both_take_the_same_number_of_plays() -> None:
    """For a proposal that was learned from 148 million plays, below 0.0114 %."""
    learned, rival, plays = Estimate(3.134, 0.005, 3000), Estimate(5.055, 0.008, 3000), 148_000_000
    below = pays_off_below(learned, plays, rival)
    assert below.value == pytest.approx(1.139e-4, rel=1e-3)
    for factor, sign in ((0.5, -1), (2.0, +1)):
        error = factor * below.value
        less = plays_needed({"work": learned, "learning": plays}, error).value
        less -= plays_needed({"work": rival}, error).value
        assert sign * less > 0


def test_the_error_of_that_is_by_the_delta_method() -> None:
    """Against finite differences of both works."""
    step = 1e-6
    below = pays_off_below(Estimate(3.0, 0.1, 50), 1000, Estimate(5.0, 0.2, 60))
    centre = pays_off_below(exact(3.0), 1000, exact(5.0)).value
    slopes = (
        (pays_off_below(exact(3.0 + step), 1000, exact(5.0)).value - centre) / step,
        (pays_off_below(exact(3.0), 1000, exact(5.0 + step)).value - centre) / step,
    )
    expected = ((0.1 * slopes[0]) ** 2 + (0.2 * slopes[1]) ** 2) ** 0.5
    assert below.standard_error == pytest.approx(expected, rel=1e-5)
    assert below.n == 50


@pytest.mark.parametrize("rival", [3.0, 2.0, 0.0])
def test_a_rival_with_no_more_work_is_never_overtaken(rival: float) -> None:
    assert pays_off_below(exact(3.0), 1000, exact(rival)) is None


ENTRIES = {
    "plain": Weighted("plain", Constant(0.5)),
    "oracle": Weighted("oracle", Constant(0.6), knows_the_answer=True),
    "far-sighted": Weighted("far-sighted", Constant(0.7), Sees.BALANCE),
    "learned": Weighted("learned", Constant(0.6), Sees.PLAY, learning=1000),
    "other": Weighted("other", Constant(0.6), Sees.NOTHING, learning=10),
}


def test_proposals_see_what_they_say() -> None:
    """None depends on the play or the balance where it says that it does not."""
    rounds = {"paths": 500, "rounds": 1}
    config = Importance(
        start=3,
        target=8,
        plays=20,
        p=0.45,
        q=0.6,
        paths=100,
        shown=0,
        defensive=0.1,
        cross_entropy=rounds,
        splitting={"levels": 5, "groups": 10, "killed": 0.1, "effective": 0.5, "replicates": 20},
        rarer={"scales": (1, 2)},
        coverage={"replicates": 1000, "played": 20, "points": 3},
        seed=0,
    )
    seen = {Sees.NOTHING: 0, Sees.PLAY: 0, Sees.BALANCE: 0}
    for entry in proposals(config).values():
        q = np.array(list(entry.proposal.rows(config)))
        of_play, of_balance = np.ptp(q, axis=0).any(), np.ptp(q, axis=1).any()
        expected = Sees.BALANCE if of_balance else Sees.PLAY if of_play else Sees.NOTHING
        assert entry.sees == expected, entry.label
        seen[expected] += 1
    assert all(seen.values())


def test_rivals_learn_nothing_know_nothing_and_see_no_more() -> None:
    assert rivals(ENTRIES, "learned") == ["plain"]
    assert rivals(ENTRIES, "far-sighted") == ["plain", "far-sighted"]


@pytest.mark.parametrize("gain", [5.0, -1.0])
def test_what_learning_pays_for(gain: float) -> None:
    works = {"plain": 3.0 + gain, "oracle": 0.0, "far-sighted": 0.1, "learned": 3.0, "other": 2.9}
    methods = {name: {"work": exact(work)} for name, work in works.items()}
    found = learning(methods, ENTRIES, "learned")
    assert (found["learning"], found["rival"]) == (1000, "plain")
    if gain > 0:
        assert found["pays_off_below"].value == pytest.approx((gain / 1000) ** 0.5)
    else:
        assert "pays_off_below" not in found


def with_errors(*errors: float) -> dict:
    return {f"{k}": {"exact_relative_error": exact(error)} for k, error in enumerate(errors)}


def test_less_variance_with_each() -> None:
    assert less_with_each(with_errors(0.3, 0.2, 0.1), ("0", "1", "2"))
    assert not less_with_each(with_errors(0.3, 0.1, 0.2), ("0", "1", "2"))
    assert not less_with_each(with_errors(0.3, 0.1, 0.1), ("0", "1", "2"))


def test_better_beyond_three_standard_errors() -> None:
    small, large = Estimate(1.0, 0.3, 10), Estimate(3.0, 0.4, 10)
    assert better(small, large)
    assert better(large, small) is False
    assert better(small, Estimate(2.4, 0.4, 10)) is None


def test_hits_and_errors_need_not_go_together() -> None:
    def methods(*hits: int) -> dict:
        found = with_errors(0.3, 0.2, 0.1)
        for method, count in zip(found.values(), hits, strict=True):
            method["hits"] = count
        return {**found, "splitting": {}}

    assert more_hits_with_less_error(methods(1, 5, 5))
    assert not more_hits_with_less_error(methods(1, 5, 4))
