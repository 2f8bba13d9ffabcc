"""How the error and the work of each estimator grow as the event gets rarer.

The game is played with s times the chips and s times the plays, for one s after another, so the
straight way to the target stays the same and −log I grows with s. With V the relative variance of
one path,

    log(1 + V) = a + β log(1/I) + γ log log(1/I):

β = 1 is crude Monte Carlo, and β = 0 a logarithmically efficient estimator, whose paths for a
given error grow as a power γ of log(1/I) at most; with γ = 0 too the relative error is bounded
(Asmussen and Glynn, 2007, section VI.1).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from scipy.optimize import curve_fit, minimize_scalar
from scipy.special import rel_entr
from tqdm import tqdm

from nicelab.errors import InputError
from nicelab.importance.config import Importance
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, log_weight, outcome
from nicelab.importance.judgement import NO_VARIANCE
from nicelab.importance.methods import POPULATIONS, Population, Weighted, proposals
from nicelab.importance.proposals import Constant
from nicelab.importance.records import Estimates, Growth
from nicelab.importance.threads import concurrently
from nicelab.importance.weights import require_unbiased
from nicelab.statistics import Estimate, mean

T = TypeVar("T")
RARE = 1e-3  # probabilities above are left out of the fit: there the chips are few
SPREAD_OVER = 0.5  # share of I that the groups must find, else their spread says nothing


@dataclass(frozen=True)
class Spread:
    """Relative variance of a path, its number of plays, and q where that is one number."""

    variance: Estimate
    plays: float
    q: float | None = None


def rarity(config: Importance, draws: Draws) -> tuple[dict[str, Any], dict[str, Any]]:
    """Relative error and work of every estimator in each game, and how they grow.

    Args:
        config: the constants; the games are at `rarer.scales`.
        draws: the random numbers.

    Returns:
        The fields `rarity` and `growth` of `RareEvent`, and metrics.

    Raises:
        InputError: a game's probability is below the smallest number.
    """
    games = [scaled(config, s) for s in config.rarer.scales]
    learned = draws.ranks.same(list(_watched(concurrently(proposals, games), len(games))))
    found = [
        _spreads(game, weighted, draws.named(f"rarer {game.target}"))
        for game, weighted in zip(games, learned, strict=True)
    ]
    log_i = np.log([outcome(game).probability for game in games])
    spreads = {name: [by_name[name] for by_name in found] for name in found[0]}
    growth = {name: _growth(entries) for name, entries in spreads.items()}
    methods = {
        name: _exponents(log_i, growth[name]) | _limit(config, entries) | _rarest(config, entries)
        for name, entries in spreads.items()
    }
    metrics = [
        {"scale": s, "target": game.target, "plays": game.plays, "log10_probability": x}
        for s, game, x in zip(config.rarer.scales, games, log_i / np.log(10), strict=True)
    ]
    fields = {"rarity": log_i / np.log(10), "growth": growth}
    return fields, {"games": metrics, "methods": methods}


def scaled(config: Importance, scale: float) -> Importance:
    """The game with so many times the chips, the plays and the levels of splitting.

    Raises:
        InputError: its probability is too small for float64.
    """
    chips = {name: round(scale * getattr(config, name)) for name in ("start", "target", "plays")}
    levels = max(1, round(scale * config.splitting.levels))
    splitting = config.splitting.model_copy(update={"levels": levels})
    game = config.model_copy(update={**chips, "splitting": splitting})
    if not outcome(game).probability:
        raise InputError(
            f"importance.rarer.scales: with {scale:g} times the chips the probability is below "
            f"the smallest number, got {list(config.rarer.scales)}: lower the largest"
        )
    return game


def _watched(found: Iterator[T], count: int) -> Iterator[T]:
    """What is learned of so many games, with a bar on a terminal."""
    return iter(tqdm(found, "rarer events", count, unit=" games", disable=None))


def _spreads(game: Importance, weighted: dict[str, Weighted], draws: Draws) -> dict[str, Spread]:
    """By estimator."""
    exact = {name: _exact(game, name, entry) for name, entry in weighted.items()}
    return exact | {
        name: _observed(game, entry, draws.named(name)) for name, entry in POPULATIONS.items()
    }


def _exact(game: Importance, name: str, entry: Weighted) -> Spread:
    found = require_unbiased(game, entry.proposal, name)
    variance = found.relative_variance if found.relative_variance > NO_VARIANCE else 0.0
    q = entry.proposal.q if isinstance(entry.proposal, Constant) else None
    return Spread(Estimate.exact(variance), found.plays, q)


def _observed(game: Importance, entry: Population, draws: Draws) -> Spread:
    """Over groups, about the exact probability; NaN where most of it was missed."""
    groups = game.splitting.groups
    paths = max(1, game.paths // groups)
    estimates, plays = entry.estimates(game, game.splitting, paths, groups, draws)
    relative = estimates / outcome(game).probability
    if relative.mean() < SPREAD_OVER:
        return Spread(Estimate(np.nan, np.nan, groups), plays.mean() / paths)
    return Spread(mean(paths * (relative - 1) ** 2), plays.mean() / paths)


def _growth(spreads: list[Spread]) -> Growth:
    variance = Estimates.of([x.variance for x in spreads])
    plays = np.array([x.plays for x in spreads])
    return Growth(variance=variance.value, standard_error=variance.standard_error, plays=plays)


def _exponents(log_i: np.ndarray, growth: Growth) -> dict[str, Any]:
    """β and γ by least squares over the rare games; their errors are those of the fit."""
    rare = np.isfinite(growth.variance) & (log_i < np.log(RARE))
    if rare.sum() < 4:
        return {}
    size, y = -log_i[rare], np.log1p(growth.variance[rare])
    (_, *exponents), covariance = curve_fit(_curve, size, y)
    errors = np.sqrt(np.diag(covariance))[1:]
    names = ("exponential", "polynomial")
    return {
        name: Estimate(float(x), float(error), int(rare.sum()))
        for name, x, error in zip(names, exponents, errors, strict=True)
    }


def _rarest(config: Importance, spreads: list[Spread]) -> dict[str, Estimate]:
    """Relative error in the last game, where it could be seen."""
    variance = spreads[-1].variance
    if not np.isfinite(variance.value):
        return {}
    error = (variance.value / config.paths) ** 0.5
    spread = variance.standard_error / (2 * error * config.paths) if error else 0.0
    return {"rarest_relative_error": Estimate(error, spread, variance.n)}


def _limit(config: Importance, spreads: list[Spread]) -> dict[str, Estimate]:
    """Where q is the same number in every game."""
    q, *others = [x.q for x in spreads]
    if q is None or any(x != q for x in others):
        return {}
    return {"limit": Estimate.exact(limit(config, q))}


def _curve(size: np.ndarray, a: float, beta: float, gamma: float) -> np.ndarray:
    return a + beta * size + gamma * np.log(size)


def limit(gambler: Gambler, q: float) -> float:
    """β of a constant proposal in the limit, by large deviations.

    With n = τ d plays to climb d chips, −log P(hit at n) / d tends to τ D((1 + 1/τ)/2 ‖ p)
    (Cramér's theorem), and a path that hits there has the weight of `log_weight`. The smallest
    exponents over τ of I and of E_q[w² 1{hit}] = E[w 1{hit}] are those of the sums.
    """
    d = gambler.target - gambler.start
    longest = gambler.plays / d

    def rate(tau: float, of_weight: float) -> float:
        won = (1 + 1 / tau) / 2
        p = gambler.p
        climb = tau * (rel_entr(won, p) + rel_entr(1 - won, 1 - p))
        return climb - of_weight * float(log_weight(gambler, q, np.array(tau * d))) / d

    def least(of_weight: float) -> float:
        inside = minimize_scalar(rate, bounds=(1, longest), args=(of_weight,), method="bounded")
        return min(inside.fun, rate(longest, of_weight))

    found = 2 - least(1.0) / least(0.0)
    return found if abs(found) > NO_VARIANCE else 0.0
