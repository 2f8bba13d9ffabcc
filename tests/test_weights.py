"""The mean of a proposal's weights, and proposals that are refused because of it."""

import re
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from nicelab.errors import InputError
from nicelab.importance import study
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.methods import Weighted
from nicelab.importance.proposals import Brownian, Constant, Doob, Proposal, Table
from nicelab.importance.trials import replicate, tally
from nicelab.importance.weights import relative_variance, require_unbiased, weights
from test_importance import SHORT

SHEET = Gambler(start=100, target=200, plays=600, p="18/37")
SMALL = Gambler(start=2, target=5, plays=9, p=0.4)


class Bold(Proposal):
    """0.6 below a balance, from there on certain to win: paths that fall back are never drawn."""

    def __init__(self, above: int) -> None:
        self.above = above

    def rows(self, gambler: Gambler) -> Iterator[np.ndarray]:
        for _ in range(gambler.plays):
            yield np.where(np.arange(gambler.target + 1) < self.above, 0.6, 1.0)


def enumerated(gambler: Gambler, rows: np.ndarray) -> tuple[float, float]:
    """E_q[w 1{hit}] / I and E_q[w² 1{hit}] / I² − 1 over every sequence of plays."""
    first, second, probability = 0.0, 0.0, 0.0
    for plays in product((1, -1), repeat=gambler.plays):
        chips, p, q, t = gambler.start, 1.0, 1.0, 0
        while 0 < chips < gambler.target and t < len(plays):
            won = plays[t] > 0
            p *= gambler.p if won else 1 - gambler.p
            q *= rows[t][chips] if won else 1 - rows[t][chips]
            chips, t = chips + plays[t], t + 1
        if chips == gambler.target and all(later < 0 for later in plays[t:]):
            probability += p
            first, second = first + p * (q > 0), second + (p**2 / q if q else 0)
    return first / probability, second / probability**2 - 1


def test_both_moments_are_those_of_enumeration() -> None:
    """Of proposals that miss paths too."""
    random = np.random.default_rng(0)
    for _ in range(20):
        q = random.uniform(-0.3, 1.3, (SMALL.plays, SMALL.target + 1)).clip(0, 1)
        found, (mean, variance) = weights(SMALL, Table(q), ""), enumerated(SMALL, q)
        assert found.mean == pytest.approx(mean, rel=1e-12)
        assert found.relative_variance == pytest.approx(variance, rel=1e-10)
        assert (found.missed is None) == (mean > 1 - 1e-12)


@pytest.mark.parametrize("proposal", [Constant(0.55), Doob(), Brownian()])
def test_what_is_unbiased_is_accepted(proposal: Proposal) -> None:
    """Doob's is certain to win where a loss would be the end."""
    assert require_unbiased(SHEET, proposal).mean == pytest.approx(1, rel=1e-10)


ROW = np.full((SHEET.plays, SHEET.target + 1), 0.5)


@pytest.mark.parametrize(
    ("proposal", "message"),
    [
        (
            Bold(150),
            "Bold is biased: its mean is 6.93727e-13 of the exact .* got 1 at play 51",
        ),
        (Constant(0.0), "Constant is biased: .* got 0 at play 1, balance 100"),
        (Constant(1.3), r"Constant: row 1 must be 201 probabilities in \[0, 1\], .* got 1.3"),
        (Table(ROW[:, :150]), r"Table: row 1 must be 201 .* got the shape \(150,\)"),
        (Table(ROW[:500]), "Table must have 600 rows, one a play, got 500"),
        (Table(np.concatenate([ROW, ROW])), "got more than 600"),
        (Table(ROW * np.nan), "got nan"),
    ],
)
def test_what_is_not_is_refused(proposal: Proposal, message: str) -> None:
    """By everything that plays with it or tells of it, before a path is drawn."""
    draws = Draws(0, "test")
    for use in (
        lambda: relative_variance(SHEET, proposal),
        lambda: tally(SHEET, proposal, 100, draws),
        lambda: replicate(SHEET, proposal, 100, 2, draws),
    ):
        with pytest.raises(InputError, match=message) as caught:
            use()
        assert "\n" not in caught.value.message


def test_the_study_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {"my_rows": Weighted("mine", Bold(7))}
    monkeypatch.setattr(study, "proposals", lambda config: entries)
    with pytest.raises(InputError, match=re.escape("proposal my_rows is biased")):
        study.measure(SHORT)
