"""The estimators of the tandem queue's overflow, in every regime and for ever more customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log
from typing import Any

import numpy as np
from tqdm import tqdm

from nicelab.importance.draws import Draws
from nicelab.importance.moments import Moments as Observed
from nicelab.statistics import Estimate, mean
from nicelab.tandem.config import Rates, Tandem
from nicelab.tandem.exact import NO_VARIANCE, Harmonic, Moments, harmonic, moments
from nicelab.tandem.growth import grown
from nicelab.tandem.proposals import PROPOSALS
from nicelab.tandem.queue import Queue
from nicelab.tandem.records import Growth, TandemRecord, name
from nicelab.tandem.simulation import Paths, simulate
from nicelab.tandem.splitting import SPLITTING, split

LABELS = {key: estimator.label for key, estimator in (PROPOSALS | SPLITTING).items()}
FEWEST = 0.5  # share of the probability that paths must find, else their spread says nothing


@dataclass(frozen=True)
class Found:
    """Of one estimator for one N: what is exact, and what its paths say, as far as known."""

    exact: Moments | None
    paths: Paths | None

    @property
    def log_work(self) -> float:
        """Exact log of the jumps for a relative error of 1."""
        return self.exact.log_variance + log(self.exact.jumps) if self.exact else np.nan

    @property
    def work(self) -> Estimate:
        """The same as it was observed, about the exact probability."""
        if self.paths is None or not self.paths.relative.mean() > FEWEST:
            return Estimate(np.nan, np.nan, 1)
        return mean((self.paths.relative - 1) ** 2).scaled(float(self.paths.jumps.mean()))


Estimators = dict[str, Found]


def judge(config: Tandem) -> tuple[TandemRecord, dict[str, Any]]:
    """The cost of every estimator in every regime against the number of customers.

    Returns:
        What the figure shows, and metrics.

    Raises:
        InputError: a proposal is biased, or a number is too large.
    """
    growth: dict[str, Growth] = {}
    regimes: dict[str, Any] = {}
    steps = len(config.regimes) * len(config.sizes)
    with tqdm(total=steps, desc="tandem", unit=" sizes", disable=None) as bar:
        for regime, rates in config.regimes.items():
            exact, found = [], []
            for size in config.sizes:
                queue = Queue(rates, size)
                exact.append(harmonic(queue))
                found.append(_estimators(queue, config, Draws(config.seed, f"{regime} {size}")))
                bar.update()
            for estimator in LABELS:
                growth[name(regime, estimator)] = _growth([each[estimator] for each in found])
            regimes[regime] = _summary(config, rates, exact, found)
    metrics = {
        "sizes": config.sizes,
        "fit_from": config.fit_from,
        "paths": config.paths,
        "groups": config.splitting.groups,
        "regimes": regimes,
        "labels": {
            "estimators": LABELS,
            "regimes": {regime: label(rates) for regime, rates in config.regimes.items()},
        },
    }
    return TandemRecord(size=np.array(config.sizes), growth=growth), metrics


def label(rates: Rates) -> str:
    """What readers call a regime."""
    return f"λ = {rates.arrival:g}, μ₁ = {rates.first:g}, μ₂ = {rates.second:g}"


def _estimators(queue: Queue, config: Tandem, draws: Draws) -> Estimators:
    """All of them for one N; paths where N is not above `simulated`."""
    drawn = queue.size <= config.simulated
    found = {}
    for key, proposal in PROPOSALS.items():
        q = proposal.table(queue, config)
        paths = simulate(queue, q, config.paths, draws.named(key)) if drawn else None
        found[key] = Found(moments(queue, q, key), paths)
    copied = queue.size <= config.splitting.largest
    for key, splitting in SPLITTING.items():
        groups = split(queue, splitting, config.splitting, draws.named(key)) if copied else None
        found[key] = Found(None, groups)
    return found


def _growth(found: list[Found]) -> Growth:
    work = [each.work for each in found]
    return Growth(
        log10_work=np.array([each.log_work for each in found]) / np.log(10),
        observed=np.array([w.value for w in work]),
        error=np.array([w.standard_error for w in work]),
    )


def _summary(
    config: Tandem, rates: Rates, exact: list[Harmonic], found: list[Estimators]
) -> dict[str, Any]:
    """Metrics of one regime."""
    log_i = np.array([x.log for x in exact])
    estimators: dict[str, Any] = {}
    for key in LABELS:
        each = [of_size[key] for of_size in found]
        told = {f"N={n}": _told(x) for n, x in zip(config.sizes, each, strict=True)}
        if key in PROPOSALS:
            variance = np.array([x.exact.log_variance for x in each])
            told = grown(config.sizes, log_i, variance, config.fit_from) | told
        estimators[key] = told
    return {
        "rates": rates.model_dump(),
        "exact": {
            f"N={n}": {
                "states": Queue(rates, n).number - 1,
                "log10_probability": x.log / np.log(10),
                "residual": x.residual,
                "idle": Estimate.exact(x.idle),
            }
            for n, x in zip(config.sizes, exact, strict=True)
        },
        "estimators": estimators,
    }


def _told(found: Found) -> Mapping[str, Any]:
    """One estimator for one N; infinite and unknown numbers are left out."""
    told: dict[str, Any] = {}
    if found.exact:
        told["jumps"] = Estimate.exact(found.exact.jumps)
        told["finite"] = found.exact.log_variance < inf
        if np.isfinite(found.exact.log_variance):
            told["log10_variance"] = Estimate.exact(found.exact.log_variance / np.log(10))
        if found.exact.idle < inf:
            told["idle"] = Estimate.exact(found.exact.idle)
    if found.paths is not None:
        told |= _observed(found)
    return told


def _observed(found: Found) -> dict[str, Any]:
    """What paths say: the estimate in units of the exact one, its error, and the work."""
    seen = Observed.of(found.paths.relative)
    told: dict[str, Any] = {"estimate": seen.estimate(), "drawn": int(found.paths.jumps.sum())}
    if np.isfinite(found.work.value):
        told["work"] = found.work
    if seen.mean > 0 and seen.variance() > NO_VARIANCE:
        told["z_score"] = told["estimate"].z_score(1)
        told["relative_error"] = seen.relative_error()
    return told
