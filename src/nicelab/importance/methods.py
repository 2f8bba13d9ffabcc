"""Every way to estimate the gambler's probability, and what readers call it."""

from dataclasses import dataclass

from nicelab.importance.config import Importance
from nicelab.importance.cross_entropy import constant, learn, logistic, timed
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import optimal_q
from nicelab.importance.proposals import Brownian, Constant, Doob, Mixture, Proposal, siegmund
from nicelab.importance.splitting import LevelFunction, by_balance, by_reach


@dataclass(frozen=True)
class Weighted:
    """Importance sampling with a proposal."""

    label: str
    proposal: Proposal


@dataclass(frozen=True)
class Copied:
    """Splitting with a level function."""

    label: str
    level_function: LevelFunction


LEVELS = {
    "splitting_by_balance": Copied("splitting by balance", by_balance),
    "splitting_by_reach": Copied("splitting by balance and time", by_reach),
}


def proposals(config: Importance) -> dict[str, Weighted]:
    """Every proposal, by name; the learned ones know samples alone."""
    rounds, draws = config.cross_entropy, Draws(config.seed)
    best_constant = learn(config, constant, rounds, draws.named("constant"))
    by_play = learn(config, timed, rounds, draws.named("timed"))
    regression = learn(config, logistic(rounds.plays), rounds, draws.named("learned"), by_play)
    defensive = Mixture((config.defensive, 1 - config.defensive), (config.p, config.q))
    return {
        "crude": Weighted("crude Monte Carlo", Constant(config.p)),
        "siegmund": Weighted("Siegmund's tilt", siegmund(config)),
        "sheet": Weighted("the sheet's q", Constant(config.q)),
        "defensive": Weighted("defensive mixture", defensive),
        "cross_entropy": Weighted("cross-entropy, constant q", best_constant),
        "variance_optimal": Weighted("best constant q", Constant(optimal_q(config))),
        "cross_entropy_by_play": Weighted("cross-entropy, q by play", by_play),
        "brownian": Weighted("Brownian h-transform", Brownian()),
        "learned": Weighted("cross-entropy, logistic", regression),
        "doob": Weighted("Doob's h-transform", Doob()),
    }
