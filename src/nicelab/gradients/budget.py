"""Descent at equal evaluations of f: SGD and Adam with every unbiased estimator.

At equal steps an estimator that evaluates f more often has more to go by. Here each spends the
same number of evaluations, and each is given the step size that suits it: of those on a grid, the
one with the least excess loss over the first half of the seeds (`excess.py`); what is stated is
over the other half.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from nicelab.gradients import objective
from nicelab.gradients.config import Gradients
from nicelab.gradients.descent import basins, noisy_gradient
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.excess import Excess
from nicelab.gradients.floor import least_excess
from nicelab.gradients.landscape import BASIN_RATE, BASIN_STEPS
from nicelab.gradients.records import Spent
from nicelab.statistics import Estimate
from nicelab.streams import generator

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}
LABELS = {"sgd": "SGD", "adam": "Adam"}
KEPT = 60  # points of a curve
UNBIASED = {name: x for name, x in ESTIMATORS.items() if x.unbiased}


@dataclass(frozen=True)
class Minimum:
    """One of the minima of the loss, (minima, 2), by its index."""

    minima: Tensor
    index: int


def at_equal_evaluations(
    config: Gradients, device: torch.device | str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every unbiased estimator under both optimisers, at the step size that suits it best.

    Returns:
        The field `spent` of `GradientsRecord`, and metrics: by optimiser and estimator the step
        size that was chosen, the excess loss that it leaves and the share of runs astray, the
        same of every step size, and of SGD the floor of the excess where it is known.

    Raises:
        InputError: with no step size do two runs stay.
    """
    home = reached(config, device)
    spent, metrics = {}, {}
    runs = [(optimiser, name) for optimiser in OPTIMISERS for name in UNBIASED]
    for optimiser, name in tqdm(runs, "descents", unit=" estimators", disable=None):
        found, told = spend(optimiser, name, config, home)
        spent[f"{optimiser}_{name}"] = found
        metrics.setdefault(optimiser, {})[name] = told
    return {"spent": spent}, {"budget": {"evaluations": config.budget.evaluations, **metrics}}


def reached(config: Gradients, device: torch.device | str) -> Minimum:
    """Where exact descent from the start ends."""
    start = config.start.tensor(device)
    minima = objective.minima(start)
    return Minimum(minima, int(basins(start, minima, BASIN_RATE, BASIN_STEPS)))


def spend(
    optimiser: str, name: str, config: Gradients, home: Minimum
) -> tuple[Spent, dict[str, Any]]:
    """With one estimator and optimiser, with every step size.

    Args:
        optimiser: one of `OPTIMISERS`.
        name: of the estimator, one of `UNBIASED`.
        config: the start, the evaluations, the step sizes, and the runs.
        home: the minimum above which the loss is counted.

    Returns:
        The curves of the mean excess, and what `at_equal_evaluations` tells of each.

    Raises:
        InputError: with no step size do two runs stay.
    """
    rates: list[float] = getattr(config.budget.learning_rates, optimiser)
    evaluations = UNBIASED[name].evaluations(config.batch)
    steps = max(1, config.budget.evaluations // evaluations)
    kept = np.unique(np.geomspace(1, steps, KEPT).astype(int))
    device = home.minima.device
    random = generator(config.seed, "budget", optimiser, name, device=device)
    gradient = noisy_gradient(name, config.batch, random)
    starts = config.start.tensor(device).expand(len(rates), config.budget.seeds, 2)
    found = Excess.of(descents(OPTIMISERS[optimiser], gradient, starts, rates, kept), home.index)
    told = {"steps": steps, **found.summary(rates, f"{LABELS[optimiser]} with {name}")}
    if optimiser == "sgd":
        told |= _floor(name, told["learning_rate"], config.batch, home.minima[home.index])
    return Spent(np.array(rates), evaluations * kept, *found.curves()), told


def descents(
    optimiser: Callable[..., torch.optim.Optimizer],
    gradient: Callable[[Tensor], Tensor],
    starts: Tensor,
    rates: list[float],
    kept: np.ndarray,
) -> Tensor:
    """Independent runs with every step size, at the steps that are kept, in increasing order.

    Args:
        optimiser: an elementwise one, so that runs that share it do not meet.
        gradient: of points (rates, seeds, 2).
        starts: (μ, τ), shape (rates, seeds, 2).
        rates: step sizes.
        kept: steps, from 1 on.

    Returns:
        (μ, τ), shape (kept, rates, seeds, 2).
    """
    points = starts.clone()
    parts = [{"params": [p], "lr": rate} for p, rate in zip(points, rates, strict=True)]
    taken = optimiser(parts)
    found = []
    for step in range(1, int(kept[-1]) + 1):
        for part, by in zip(parts, gradient(points), strict=True):
            part["params"][0].grad = by
        taken.step()
        if step in kept:
            found.append(points.clone())
    return torch.stack(found)


def _floor(name: str, rate: float, batch: int, minimum: Tensor) -> dict[str, Estimate]:
    """What theory says that SGD leaves in the end, if it says something of this estimator."""
    if UNBIASED[name].exact:
        return {}
    return {"floor": Estimate.exact(least_excess(name, minimum, rate, batch))}
