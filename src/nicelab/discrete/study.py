"""Gradient estimators where variables are discrete, judged by exact answers.

With tr V the variance of one sample's gradient, summed over its components, and e evaluations of f
or its derivative a sample,

    work = e tr V / ‖∇ E f‖²

evaluations buy an error as large as the gradient itself. What the tuning of an estimator takes is
not counted.
"""

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
from nicelab.discrete.objectives import Bits, Objective, exact_gradient
from nicelab.discrete.records import DiscreteRecord, Judged
from nicelab.errors import InputError
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

CHANCE = 1e-3  # of convicting an unbiased estimator of a bias, over all its components
NEVER = 1e-10  # of refusing one that says that it is unbiased
TESTED = 50  # times that a bit must be expected to take its rarer value
PROBLEMS = {
    "bits": "independent bits",
    "start": "digits, before training",
    "end": "digits, after training",
}


@dataclass(frozen=True)
class Cost:
    """Of an estimator on a problem.

    Args:
        work: evaluations for an error as large as the gradient.
        exact: the same, NaN where it is not known.
        along: the mean gradient along the exact one, in units of it: 1 without bias.
        z_scores: of the mean's error in each component, NaN where it cannot be tested,
            (components,).
    """

    work: Estimate
    exact: float
    along: Estimate
    z_scores: np.ndarray

    def convicted(self, chance: float = CHANCE) -> bool:
        """Whether some component is farther off than chance would have any be (Bonferroni)."""
        tested = np.abs(self.z_scores[np.isfinite(self.z_scores)])
        return bool((tested > stats.norm.isf(chance / 2 / max(1, tested.size))).any())


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
    """The bits, and the model's codes of the first images before and after training; the ELBO."""
    images = latent.digits()
    before = latent.start(config.latent, config.seed, images.shape[1])
    after, elbo = latent.train(before, images, config.latent)
    shown = images[: config.latent.images]
    logits = torch.tensor(config.bits.logits, dtype=torch.float64)
    return {
        "bits": Bits(logits, config.bits.target),
        "start": before.objective(shown),
        "end": after.objective(shown),
    }, elbo


def cost(estimator: Estimator, objective: Objective, config: Discrete, name: str) -> Cost:
    """What an estimator's accuracy costs, over independent batches, and its bias.

    The squared distance of a batch's mean from the exact gradient, times the batch, is a sample
    of the variance; of a biased estimator, from the mean over batches.
    """
    streams = [generator(config.seed, "discrete", what, name) for what in ("tuning", "noise")]
    terms = estimator.tuned(objective, config, streams[0])
    means = torch.stack(
        [
            terms(objective, _noise(estimator, objective, config, streams[1])).mean(0).flatten()
            for _ in range(config.replicates)
        ]
    )
    exact = exact_gradient(objective).flatten()
    signal, errors = (exact**2).sum(), means - exact
    centred = errors if estimator.unbiased else means - means.mean(0)
    factor = estimator.evaluations(objective.logits.shape[-1]) / float(signal)
    known = estimator.exact and float(estimator.exact(objective, config.batch))
    return Cost(
        work=mean(config.batch * (centred**2).sum(-1)).scaled(factor),
        exact=np.nan if known is None else factor * known,
        along=mean((means * exact).sum(-1) / signal),
        z_scores=_z_scores(errors, objective, config).numpy(),
    )


def _z_scores(errors: Tensor, objective: Objective, config: Discrete) -> Tensor:
    """Of the mean of errors (replicates, components), where a normal test can be made."""
    p = objective.logits.sigmoid().flatten()
    rarer = config.replicates * config.batch * torch.minimum(p, 1 - p)
    scores = errors.mean(0) / errors.std(0) * len(errors) ** 0.5
    return torch.where(rarer < TESTED, torch.nan, scores)


def _noise(
    estimator: Estimator, objective: Objective, config: Discrete, random: torch.Generator
) -> Tensor:
    shape = config.batch, *objective.logits.shape, estimator.noise
    return torch.rand(*shape, generator=random, dtype=torch.float64)


def _judged(costs: list[Cost]) -> Judged:
    return Judged(
        work=np.array([cost.work.value for cost in costs]),
        error=np.array([cost.work.standard_error for cost in costs]),
        exact=np.array([cost.exact for cost in costs]),
        z_scores=np.array([cost.z_scores for cost in costs]),
    )


def _summary(found: Cost) -> dict[str, Any]:
    worst = found.z_scores[np.nanargmax(np.abs(found.z_scores))]
    return {
        "work": found.work,
        **({"exact_work": Estimate.exact(found.exact)} if np.isfinite(found.exact) else {}),
        "along": found.along,
        "largest_z_score": float(worst),
        "convicted": found.convicted(),
    }
