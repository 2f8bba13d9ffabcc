"""Gradient estimators where variables are discrete, judged by exact answers.

With tr V the variance of one sample's gradient, summed over its components, and e evaluations of f
or its derivative a sample,

    work = e tr V / ‖∇ E f‖²

evaluations buy an error as large as the gradient itself. What the tuning of an estimator takes is
not counted.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from tqdm import tqdm

from nicelab.discrete import latent
from nicelab.discrete.config import Discrete
from nicelab.discrete.estimators import ESTIMATORS, Estimator
from nicelab.discrete.objectives import Bits, Objective, exact_gradient, outcomes
from nicelab.discrete.records import DiscreteRecord, Judged
from nicelab.errors import InputError
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

CHANCE = 1e-3  # of convicting an unbiased estimator of a bias, over all its components
NEVER = 1e-10  # of refusing one that says that it is unbiased
TESTED = 50  # times that a bit must be expected to take its rarer value
ROUNDING = 1e-12  # of a gradient, in units of f
TOGETHER = 10  # batches of samples in memory
SURE = 100.0  # logit of a bit that is never 0
PROBLEMS = {
    "bits": "independent bits",
    "start": "digits, before training",
    "end": "digits, after training",
}


@dataclass(frozen=True)
class Cost:
    """Of an estimator on a problem.

    Args:
        evaluations: of f or its derivative, that a sample takes.
        variance: of a sample, summed over all components.
        work: evaluations for an error as large as the gradient.
        exact: the same, NaN where it is not known.
        along: the mean gradient along the exact one, in units of it: 1 without bias.
        mean: the exact mean of a biased estimator: along the gradient, and its distance from it
            in lengths of it.
        z_scores: of the mean's error in each component, NaN where it cannot be tested,
            (components,).
    """

    evaluations: int
    variance: Estimate
    work: Estimate
    exact: float
    along: Estimate
    mean: tuple[float, float] | None
    z_scores: np.ndarray

    def bound(self, chance: float = CHANCE) -> float:
        """Standard errors beyond which so small a chance would have no component.

        By Student's t of the batches, for all components that are tested (Bonferroni).
        """
        tested = np.count_nonzero(~np.isnan(self.z_scores))
        return float(stats.t.isf(chance / 2 / max(1, tested), self.along.n - 1))

    def convicted(self, chance: float = CHANCE) -> bool:
        """Whether some component is farther off."""
        return bool((np.abs(self.z_scores) > self.bound(chance)).any())


def judge(config: Discrete) -> tuple[DiscreteRecord, dict[str, Any]]:
    """Bias, variance and cost of every estimator on every problem.

    Returns:
        What the figure shows, and metrics.

    Raises:
        InputError: an estimator that says that it is unbiased is not.
    """
    objectives, elbo = problems(config)
    judged: dict[str, Judged] = {}
    metrics: dict[str, Any] = {}
    for problem, objective in tqdm(objectives.items(), "discrete", unit=" problems", disable=None):
        costs = {
            name: cost(estimator, objective, config, f"{problem} {name}")
            for name, estimator in ESTIMATORS.items()
        }
        for name, found in costs.items():
            if ESTIMATORS[name].unbiased and found.convicted(NEVER):
                raise InputError(f"estimator {name} says that it is unbiased, but it is not")
        judged[problem] = _judged(list(costs.values()))
        metrics[problem] = {name: _summary(found) for name, found in costs.items()}
    labels = {
        "problems": PROBLEMS,
        "estimators": {name: estimator.label for name, estimator in ESTIMATORS.items()},
    }
    trained = {"elbo": {"start": Estimate.exact(elbo[0]), "end": Estimate.exact(elbo[-1])}}
    record = DiscreteRecord(names=np.array(list(ESTIMATORS)), elbo=elbo, problems=judged)
    return record, {"problems": metrics, "model": trained, "labels": labels}


def problems(config: Discrete) -> tuple[dict[str, Objective], np.ndarray]:
    """The bits, and the model's codes of the first images before and after training; the ELBO.

    Raises:
        InputError: a gradient vanishes, so that there is nothing to compare an error with.
    """
    images = latent.digits()
    before = latent.start(config.latent, config.seed, images.shape[1])
    after, elbo = latent.train(before, images, config.latent)
    shown = images[: config.latent.images]
    logits = torch.tensor(config.bits.logits, dtype=torch.float64)
    found = {
        "bits": Bits(logits, config.bits.target),
        "start": before.objective(shown),
        "end": after.objective(shown),
    }
    for problem, objective in found.items():
        if not _length(exact_gradient(objective)) > ROUNDING * _size(objective):
            section = "bits" if problem == "bits" else "latent"
            raise InputError(
                f"discrete.{section}: the gradient vanishes ({PROBLEMS[problem]}), and errors are "
                f"measured by its length"
            )
    return found, elbo


def cost(estimator: Estimator, objective: Objective, config: Discrete, name: str) -> Cost:
    """What an estimator's accuracy costs, over independent batches, and its bias.

    The squared distance of a batch's mean from the exact gradient, times the batch, is a sample
    of the variance; of a biased estimator, from its own exact mean.
    """
    streams = [generator(config.seed, "discrete", what, name) for what in ("tuning", "noise")]
    terms = estimator.tuned(objective, config, streams[0])
    means = torch.cat(
        [
            terms(objective, noise).mean(1)
            for noise in _noise(estimator, objective, config, streams[1])
        ]
    )
    exact = exact_gradient(objective)
    own = estimator.mean(objective) if estimator.mean else exact
    signal = float((exact**2).sum())
    evaluations = estimator.evaluations(objective.logits.shape[-1])
    variance = mean(config.batch * ((means - own) ** 2).sum((1, 2)))
    known = estimator.exact and float(estimator.exact(objective, config.batch))
    return Cost(
        evaluations=evaluations,
        variance=variance,
        work=variance.scaled(evaluations / signal),
        exact=np.nan if known is None else evaluations * known / signal,
        along=mean((means * exact).sum((1, 2)) / signal),
        mean=_biased(own, exact) if estimator.mean else None,
        z_scores=_z_scores(means - exact, objective, config).flatten().numpy(),
    )


def _biased(own: Tensor, exact: Tensor) -> tuple[float, float]:
    """A mean along the exact gradient, and its distance from it, in units of it."""
    return float((own * exact).sum() / (exact**2).sum()), _length(own - exact) / _length(exact)


def _z_scores(errors: Tensor, objective: Objective, config: Discrete) -> Tensor:
    """Of the mean of errors (replicates, m, k), where a normal test can be made, (m, k).

    Where nothing is random a mean is right or wrong without a test: 0 or infinite.
    """
    p = objective.logits.sigmoid()
    rare = config.replicates * config.batch * torch.minimum(p, 1 - p) < TESTED
    allowed = ROUNDING * _size(objective) + _unseen(objective, rare)
    centre, spread = errors.mean(0), errors.std(0)
    centre = centre.sign() * (centre.abs() - allowed).clamp_min(0)
    scores = torch.where(centre == 0, 0, centre / spread * len(errors) ** 0.5)
    return torch.where(rare, torch.nan, scores)


def _unseen(objective: Objective, rare: Tensor) -> Tensor:
    """How far a mean may be off because rare values of other bits are not among the samples.

    Twice the change of the gradient where those bits are sure: for pairs of samples have them
    twice as often.
    """
    sure = copy(objective)
    sure.logits = torch.where(rare, objective.logits.sign() * SURE, objective.logits)
    return 2 * (exact_gradient(objective) - exact_gradient(sure)).abs()


def _size(objective: Objective) -> float:
    """Of f: its root mean square."""
    bits, probability = outcomes(objective.logits)
    return float((probability * objective.value(bits) ** 2).sum(0).mean().sqrt())


def _length(gradient: Tensor) -> float:
    return float((gradient**2).sum().sqrt())


def _noise(
    estimator: Estimator, objective: Objective, config: Discrete, random: torch.Generator
) -> Iterator[Tensor]:
    """Of all batches, some at a time."""
    shape = config.batch, *objective.logits.shape, estimator.noise
    for first in range(0, config.replicates, TOGETHER):
        batches = min(TOGETHER, config.replicates - first)
        yield torch.rand(batches, *shape, generator=random, dtype=torch.float64)


def _judged(costs: list[Cost]) -> Judged:
    return Judged(
        work=np.array([cost.work.value for cost in costs]),
        error=np.array([cost.work.standard_error for cost in costs]),
        exact=np.array([cost.exact for cost in costs]),
        z_scores=np.array([cost.z_scores for cost in costs]),
        bounds=np.array([cost.bound() for cost in costs]),
    )


def _summary(found: Cost) -> dict[str, Any]:
    exact = {
        "exact_work": None if np.isnan(found.exact) else found.exact,
        "exact_along": found.mean and found.mean[0],
        "exact_bias": found.mean and found.mean[1],
    }
    tested = found.z_scores[np.isfinite(found.z_scores)]
    return {
        "evaluations": found.evaluations,
        "variance": found.variance,
        "work": found.work,
        "along": found.along,
        **{name: Estimate.exact(x) for name, x in exact.items() if x is not None},
        **({"largest_z_score": float(max(tested, key=abs))} if tested.size else {}),
        "convicted": found.convicted(),
    }
