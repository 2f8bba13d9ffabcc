"""Every way to estimate the gambler's probability, and what readers call it."""

from dataclasses import dataclass
from enum import IntEnum

from nicelab.importance.adaptive import adaptive
from nicelab.importance.config import Importance
from nicelab.importance.cross_entropy import Learned, learn
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import optimal_q
from nicelab.importance.groups import Groups
from nicelab.importance.learned import constant, logistic, timed
from nicelab.importance.particles import twisted
from nicelab.importance.proposals import (
    Brownian,
    Constant,
    Doob,
    Mixture,
    Proposal,
    large_deviation,
    siegmund,
)
from nicelab.importance.splitting import by_balance, by_reach, fixed_effort


class Sees(IntEnum):
    """What the win probability of a proposal may depend on; each may see what those before do."""

    NOTHING = 0
    PLAY = 1
    BALANCE = 2  # and play


@dataclass(frozen=True)
class Weighted:
    """Importance sampling with a proposal.

    Args:
        label: what readers call it.
        proposal: its win probabilities.
        sees: what these depend on.
        learning: plays that it was learned from.
        knows_the_answer: whether it is computed from the exact law that is to be estimated.
    """

    label: str
    proposal: Proposal
    sees: Sees = Sees.NOTHING
    learning: int = 0
    knows_the_answer: bool = False


@dataclass(frozen=True)
class Population:
    """Paths of which some are copied on the way, in independent groups."""

    label: str
    estimates: Groups


POPULATIONS = {
    "splitting_by_balance": Population("splitting by balance", fixed_effort(by_balance)),
    "splitting_by_reach": Population("splitting by balance and time", fixed_effort(by_reach)),
    "splitting_adaptive": Population("adaptive splitting", adaptive),
    "particle_filter": Population("particle filter, Brownian twist", twisted),
}


def proposals(config: Importance) -> dict[str, Weighted]:
    """Every proposal, by name; the learned ones know samples alone."""
    rounds, draws = config.cross_entropy, Draws(config.seed)
    best_constant = learn(config, constant, rounds, draws.named("constant"))
    by_play = learn(config, timed, rounds, draws.named("timed"))
    regression = learn(config, logistic, rounds, draws.named("learned"), best_constant)
    defensive = Mixture((config.defensive, 1 - config.defensive), (config.p, config.q))
    best = Constant(optimal_q(config))
    return {
        "crude": Weighted("crude Monte Carlo", Constant(config.p)),
        "siegmund": Weighted("Siegmund's tilt", siegmund(config)),
        "sheet": Weighted("the sheet's q", Constant(config.q)),
        "defensive": Weighted("defensive mixture", defensive, Sees.BALANCE),
        "large_deviation": Weighted("large-deviation tilt", large_deviation(config)),
        "cross_entropy": _learned("cross-entropy, constant q", best_constant, Sees.NOTHING),
        "variance_optimal": Weighted("best constant q", best, knows_the_answer=True),
        "cross_entropy_by_play": _learned("cross-entropy, q by play", by_play, Sees.PLAY),
        "brownian": Weighted("Brownian h-transform", Brownian(), Sees.BALANCE),
        "learned": _learned("cross-entropy, logistic", regression, Sees.BALANCE),
        "doob": Weighted("Doob's h-transform", Doob(), Sees.BALANCE, knows_the_answer=True),
    }


def _learned(label: str, found: Learned, sees: Sees) -> Weighted:
    return Weighted(label, found.proposal, sees, found.plays)


def rivals(entries: dict[str, Weighted], name: str) -> list[str]:
    """Proposals that need neither learning nor the answer, and see no more than this one."""
    return [
        other
        for other, entry in entries.items()
        if not (entry.learning or entry.knows_the_answer) and entry.sees <= entries[name].sees
    ]
