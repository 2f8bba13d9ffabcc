"""Gradient estimators in d dimensions: what an accuracy costs, and how that grows.

With tr V the variance of one sample's gradient, summed over its 2d components, and e evaluations
of f or its derivative a sample,

    work = e tr V / ‖∇ E f‖²

evaluations buy an error as large as the gradient itself, and 100 times as many one of 10 %.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from nicelab.dimensions.config import Dimensions
from nicelab.dimensions.estimators import ESTIMATORS, Estimator
from nicelab.dimensions.objectives import (
    LogisticRegression,
    Objective,
    Separable,
    breast_cancer,
)
from nicelab.dimensions.records import DimensionsRecord, Growth, name
from nicelab.gradients import objective as sheet
from nicelab.gradients.family import Function
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

QUADRATIC = Function(lambda x: x**2 / 2, lambda x: x, torch.ones_like)
AT_ONCE = 2_000_000  # normal numbers


@dataclass(frozen=True)
class Kind:
    """What a reader calls an objective, how it is made in d dimensions, and the largest d."""

    label: str
    make: Callable[[Dimensions, int], Objective]
    largest: Callable[[], int] | None = None

    def sizes(self, config: Dimensions) -> list[int]:
        """Those of the parameters that there are."""
        return [d for d in config.sizes if self.largest is None or d <= self.largest()]


def separable(g: Function, config: Dimensions, d: int) -> Separable:
    """The sum of g over components, at the point of the parameters."""
    return Separable(g, d, config.point.mu, config.point.sigma)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "quadratic": Kind("½ Σ x²", partial(separable, QUADRATIC)),
        "sheet": Kind("Σ x sin x", partial(separable, sheet.F)),
        "logistic": Kind(
            "logistic regression",
            lambda _, d: LogisticRegression.of_breast_cancer(d),
            lambda: breast_cancer().shape[1],
        ),
    }
)


@dataclass(frozen=True)
class Cost:
    """Of an estimator in d dimensions.

    Args:
        work: evaluations for an error as large as the gradient.
        exact: the same, where it is known.
        along: the mean gradient along the exact one, in units of it: 1 without bias.
    """

    work: Estimate
    exact: float
    along: Estimate


def judge(config: Dimensions) -> tuple[DimensionsRecord, dict[str, Any]]:
    """The cost of every estimator on every objective against d.

    Returns:
        What the figure shows, and metrics.
    """
    growth: dict[str, Growth] = {}
    metrics: dict[str, Any] = {}
    for kind, sizes, found in _costs(config):
        of_kind = {}
        for estimator, costs in found.items():
            growth[name(kind, estimator)] = _growth(sizes, costs)
            of_kind[estimator] = summarise(sizes, costs, config.fit_from)
        metrics[kind] = {"largest": sizes[-1], "estimators": of_kind}
    labels = {
        "objectives": {key: kind.label for key, kind in KINDS.items()},
        "estimators": {key: estimator.label for key, estimator in ESTIMATORS.items()},
    }
    summary = {"fit_from": config.fit_from, "objectives": metrics, "labels": labels}
    return DimensionsRecord(growth=growth), summary


def _costs(config: Dimensions) -> Iterator[tuple[str, list[int], dict[str, list[Cost]]]]:
    """Of each objective its name, its sizes, and by estimator the cost for each size."""
    steps = sum(len(kind.sizes(config)) for kind in KINDS.values())
    with tqdm(total=steps, desc="dimensions", unit=" sizes", disable=None) as bar:
        for key, kind in KINDS.items():
            found: dict[str, list[Cost]] = {estimator: [] for estimator in ESTIMATORS}
            for d in kind.sizes(config):
                objective = kind.make(config, d)
                for estimator, costs in found.items():
                    random = generator(config.seed, "dimensions", key, estimator, d)
                    costs.append(cost(ESTIMATORS[estimator], objective, config, random))
                bar.update()
            yield key, kind.sizes(config), found


def cost(
    estimator: Estimator, objective: Objective, config: Dimensions, random: torch.Generator
) -> Cost:
    """What an estimator's accuracy costs, over independent batches.

    The squared distance of a batch's mean from the exact gradient, times the batch, is a sample
    of the variance.
    """
    exact = objective.gradient()
    size, signal = exact.shape[-1], (exact**2).sum()
    evaluations = estimator.evaluations(size)
    means = _means(estimator, objective, config.batches(evaluations), config.batch, random)
    squares = config.batch * ((means - exact) ** 2).sum((-1, -2))
    factor = float(evaluations / signal)
    known = isinstance(objective, Separable)
    return Cost(
        work=mean(squares).scaled(factor),
        exact=factor * float(estimator.exact(objective, config.batch)) if known else np.nan,
        along=mean((means * exact).sum((-1, -2)) / signal),
    )


def _means(
    estimator: Estimator, objective: Objective, count: int, batch: int, random: torch.Generator
) -> Tensor:
    """Mean gradients of so many batches, shape (count, 2, d), some batches at a time."""
    size = objective.point.shape[-1]
    one = batch * size * estimator.noise
    found = []
    for some in torch.arange(count).split(max(1, AT_ONCE // one)):
        shape = len(some), batch, size, estimator.noise
        noise = torch.randn(*shape, generator=random, dtype=torch.float64)
        found.append(estimator.terms(objective, noise).mean(1))
    return torch.cat(found)


def _growth(sizes: list[int], costs: list[Cost]) -> Growth:
    return Growth(
        size=np.array(sizes),
        work=np.array([cost.work.value for cost in costs]),
        error=np.array([cost.work.standard_error for cost in costs]),
        exact=np.array([cost.exact for cost in costs]),
    )


def summarise(sizes: list[int], costs: list[Cost], fit_from: int) -> dict[str, Any]:
    """The exponent of the growth, measured and, from the two largest sizes, exact; each cost."""
    summary: dict[str, Any] = {"exponent": exponent(sizes, [c.work for c in costs], fit_from)}
    last = np.array([cost.exact for cost in costs[-2:]])
    if np.isfinite(last).all():
        slope = np.diff(np.log(last)) / np.diff(np.log(sizes[-2:]))
        summary["exact_exponent"] = Estimate.exact(slope[0])
    return summary | {
        f"d={d}": {
            "work": cost.work,
            "along": cost.along,
            **({"exact_work": Estimate.exact(cost.exact)} if np.isfinite(cost.exact) else {}),
        }
        for d, cost in zip(sizes, costs, strict=True)
    }


def exponent(sizes: list[int], work: list[Estimate], fit_from: int) -> Estimate:
    """Of the power of d that the work grows as, by weighted least squares of logarithms.

    From `fit_from` dimensions on, or the two largest sizes. Where the points scatter about the
    line more than their errors, as no exact power of d would, the error is larger by that factor
    (Birge, 1932).
    """
    first = min(sum(d < fit_from for d in sizes), len(sizes) - 2)
    x = np.log(sizes[first:])
    y, error = np.array([[np.log(w.value), w.standard_error / w.value] for w in work[first:]]).T
    weight = error**-2
    centre = (weight * x).sum() / weight.sum()
    spread = (weight * (x - centre) ** 2).sum()
    slope = (weight * (x - centre) * y).sum() / spread
    residuals = y - (weight * y).sum() / weight.sum() - slope * (x - centre)
    birge = np.sqrt((weight * residuals**2).sum() / max(1, len(x) - 2))
    return Estimate(float(slope), float(max(1, birge) / np.sqrt(spread)), len(x))
