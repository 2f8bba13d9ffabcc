"""Every estimator's bias, by a z-test at several points, its variance, and what accuracy costs."""

from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from nicelab.errors import InputError
from nicelab.formatting import estimate
from nicelab.gradients import objective
from nicelab.gradients.config import Gradients
from nicelab.gradients.estimators import ESTIMATORS, Estimator
from nicelab.gradients.objective import F
from nicelab.gradients.repetitions import mean_of, variances_of, z_score
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

CHANCE = 1e-10  # of refusing an unbiased estimator, in each of some hundred tests
ROUNDING = 1e-9  # of a gradient, where nothing is random


def bias_and_variance(
    config: Gradients, device: torch.device | str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """At each point the error of the mean gradient, and the variance, observed and exact.

    Means over independent batches are the samples. Variances are those of such a mean, times the
    batch. `work` is the exact variance of the mean, times the evaluations of f that it costs,
    summed over μ and τ: how many evaluations buy a variance of 1.

    Returns:
        The fields `names`, `points`, `z_scores` and `work` of `GradientsRecord`, and metrics.

    Raises:
        InputError: an estimator that says that it is unbiased is not.
    """
    z_scores, work = [], []
    metrics: dict[str, Any] = {name: {} for name in ESTIMATORS}
    for k, at in enumerate(config.points):
        point = at.tensor(device)
        for name, estimator in ESTIMATORS.items():
            random = generator(config.seed, "bias", name, k, device=device)
            errors = errors_of(estimator, point, config, random)
            summary = summarise(estimator, point, config.batch, errors)
            metrics[name][at.name] = summary
            z_scores.append([z_score(error) for error in errors.T])
            if estimator.unbiased:
                _require_unbiased(f"{name} at {at.name}", errors)
            work.append(summary["work"].value)
    shape = len(config.points), len(ESTIMATORS)
    return {
        "names": np.array(list(ESTIMATORS)),
        "points": np.array([[at.mu, at.sigma] for at in config.points]),
        "z_scores": np.array(z_scores).reshape(*shape, 2),
        "work": np.array(work).reshape(shape),
    }, {"estimators": metrics}


def errors_of(
    estimator: Estimator, point: Tensor, config: Gradients, random: torch.Generator
) -> Tensor:
    """The mean gradient of each batch, less the exact one; shape (replicates, 2)."""
    many = point.expand(config.replicates, 2)
    means = estimator(F, many, config.batch, random).mean(-2)
    return (means - objective.expectation_gradient(point)).cpu()


def summarise(estimator: Estimator, point: Tensor, batch: int, errors: Tensor) -> dict[str, Any]:
    """Bias, variance and cost at a point, from errors (replicates, 2) of means over batches."""
    exact = estimator.variance(F, point, batch)
    observed = batch * variances_of(errors)
    work = estimator.evaluations(batch) * exact.sum() / batch
    return {
        "bias": {"mu": mean_of(errors[:, 0]), "tau": mean_of(errors[:, 1])},
        "variance": {"mu": mean(observed[:, 0]), "tau": mean(observed[:, 1])},
        "exact_variance": {"mu": Estimate.exact(exact[0]), "tau": Estimate.exact(exact[1])},
        "work": Estimate.exact(work),
    }


def _require_unbiased(name: str, errors: Tensor) -> None:
    """Refuse an estimator whose mean error, of errors (replicates, 2), cannot be chance."""
    error = errors.std(0) / len(errors) ** 0.5
    away = errors.mean(0).abs() - stats.t.isf(CHANCE / 2, len(errors) - 1) * error
    if (away > ROUNDING).any():
        k = int(away.argmax())
        raise InputError(
            f"estimator {name} says that it is unbiased, but its mean is "
            f"{estimate(mean_of(errors[:, k]))} from the exact gradient in {('μ', 'τ')[k]}: "
            f"correct it, or enter it with unbiased=False"
        )
