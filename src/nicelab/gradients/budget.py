"""Descent at equal evaluations of f: SGD and Adam with every unbiased estimator.

At equal steps an estimator that evaluates f more often has more to go by. Here each spends the
same number of evaluations, and each is given the step size that suits it: of those on a grid, the
one with the least excess loss over the first half of the seeds; what is stated is over the other
half. The excess is that of the exact loss over the minimum nearest to where a run is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from nicelab.gradients import objective
from nicelab.gradients.config import Gradients
from nicelab.gradients.descent import nearest, noisy_gradient
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.records import Spent
from nicelab.gradients.repetitions import mean_of
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}
LABELS = {"sgd": "SGD", "adam": "Adam"}
KEPT = 60  # points of a curve
UNBIASED = {name: x for name, x in ESTIMATORS.items() if x.unbiased}


def at_equal_evaluations(
    config: Gradients, device: torch.device | str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every unbiased estimator under both optimisers, at the step size that suits it best.

    Returns:
        The field `spent` of `GradientsRecord`, and metrics.
    """
    spent, metrics = {}, {}
    runs = [(optimiser, name) for optimiser in OPTIMISERS for name in UNBIASED]
    for optimiser, name in tqdm(runs, "descents", unit=" estimators", disable=None):
        evaluations = UNBIASED[name].evaluations(config.batch)
        steps = max(1, config.budget.evaluations // evaluations)
        kept = np.unique(np.geomspace(1, steps, KEPT).astype(int))
        random = generator(config.seed, "budget", optimiser, name, device=device)
        gradient = noisy_gradient(name, config.batch, random)
        points = descents(optimiser, gradient, config, kept, device)
        found = Excess.of(points)
        best = found.best()
        spent[f"{optimiser}_{name}"] = Spent(evaluations * kept, *found.curve(best))
        metrics.setdefault(optimiser, {})[name] = {
            "learning_rate": config.budget.learning_rates[best],
            "steps": steps,
            "excess_loss": found.reported(best),
            "share_nearest_to_the_global_minimum": found.share_global(best),
        }
    return {"spent": spent}, {"budget": {"evaluations": config.budget.evaluations, **metrics}}


def descents(
    optimiser: str,
    gradient: Callable[[Tensor], Tensor],
    config: Gradients,
    kept: np.ndarray,
    device: torch.device | str,
) -> Tensor:
    """Independent runs with every step size, at the steps that are kept.

    Returns:
        (μ, τ), shape (kept, learning rates, seeds, 2).
    """
    rates, start = config.budget.learning_rates, config.start.tensor(device)
    points = start.expand(len(rates), config.budget.seeds, 2).clone()
    parts = [{"params": [p], "lr": rate} for p, rate in zip(points, rates, strict=True)]
    taken = OPTIMISERS[optimiser](parts)  # elementwise, so runs do not meet
    found = []
    for step in range(1, int(kept[-1]) + 1):
        for part, by in zip(parts, gradient(points), strict=True):
            part["params"][0].grad = by
        taken.step()
        if step in kept:
            found.append(points.clone())
    return torch.stack(found)


@dataclass(frozen=True)
class Excess:
    """Excess loss of every run, (kept, rates, seeds), and whether it is at the global minimum."""

    loss: np.ndarray
    at_global: np.ndarray

    @classmethod
    def of(cls, points: Tensor) -> "Excess":
        """Of points (kept, rates, seeds, 2)."""
        minima = objective.minima(points)
        which = nearest(points, minima)
        loss = objective.value(points) - objective.value(minima)[which]
        return cls(loss.cpu().numpy(), (which[-1] == 0).cpu().numpy())

    def best(self) -> int:
        """The step size with the least excess at the end, by the first half of the seeds."""
        chosen = self.loss[-1, :, : self._half()].mean(-1)
        return int(np.where(np.isfinite(chosen), chosen, np.inf).argmin())

    def curve(self, best: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean over the other seeds at each kept step, and its standard error."""
        means = list(self._means(best))
        return tuple(np.array([getattr(m, x) for m in means]) for x in ("value", "standard_error"))

    def reported(self, best: int) -> Estimate:
        """At the end."""
        return list(self._means(best))[-1]

    def share_global(self, best: int) -> Estimate:
        """Of the other seeds, how many are nearest to the global minimum at the end."""
        return mean(self.at_global[best, self._half() :])

    def _means(self, best: int) -> Iterator[Estimate]:
        return (mean_of(x) for x in self.loss[:, best, self._half() :])

    def _half(self) -> int:
        return self.loss.shape[-1] // 2
