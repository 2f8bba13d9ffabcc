"""SGD with every estimator, beside the descent that is expected of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nicelab.gradients import objective
from nicelab.gradients.config import Gradients
from nicelab.gradients.descent import (
    as_sigma,
    descend,
    expected_gradient,
    nearest,
    noisy_gradient,
    settle,
)
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.floor import floor
from nicelab.gradients.records import LongRun, Run
from nicelab.gradients.repetitions import mean_of, spread_of
from nicelab.published import SGD_ENDS
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

# The sheet's estimators, right and as printed.
SHEET = ("pathwise", "pathwise_as_printed", "score", "score_as_printed")
KEPT = 1000  # steps of a long run

Gradient = Callable[[Tensor], Tensor]


def sgd(config: Gradients, device: torch.device | str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sheet's run with every estimator, over seeds.

    Returns:
        The field `runs` of `GradientsRecord`, and metrics.
    """
    rate, steps, start = config.learning_rate, config.steps, config.start.tensor(device)
    found, metrics = {}, {}
    for name in ESTIMATORS:
        noisy, exactly = _gradients(name, "sgd", config, device)
        points = _as_sigma(descend(noisy, start.expand(config.seeds, 2), rate, steps))
        expected = _as_sigma(descend(exactly, start, rate, steps))
        band, ends = np.quantile(points, [0.025, 0.5, 0.975], axis=1), points[-1]
        found[name] = Run(band, expected, ends) if name in SHEET else Run(band)
        metrics[name] = {
            **_by_parameter(mean_of, ends),
            "spread": _by_parameter(spread_of, ends),
            "exact": _exact(expected[-1]),
            **({"printed": _printed(name, ends)} if name in SHEET else {}),
        }
    return {"runs": found}, {"sgd": metrics}


def long_runs(
    config: Gradients, device: torch.device | str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """SGD of the sheet's estimators, as printed and right, until it settles.

    A step of fixed size never comes to rest: `spread` is that of the ends over seeds. Where the
    runs settle is told by the mean over the second half of their steps, with its standard error
    over seeds. `predicted` and `predicted_spread` are what `floor` says of both.

    Returns:
        The fields `long_steps`, some 1000 of them, and `long` of `GradientsRecord`, and metrics.
    """
    run, start = config.long_run, config.start.tensor(device)
    kept = np.arange(0, run.steps + 1, max(1, run.steps // KEPT))
    minima = objective.minima(start)
    found, metrics = {}, {}
    for name in SHEET:
        noisy, exactly = _gradients(name, "long", config, device)
        starts = start.expand(run.seeds, 2)
        point, settled = settle(noisy, starts, run.learning_rate, run.steps)
        path = descend(exactly, start, run.learning_rate, run.steps)
        expected = _as_sigma(path)
        found[name] = LongRun(expected[kept], _as_sigma(point))
        theory = floor(name, path[-1], run.learning_rate, config.batch)
        metrics[name] = {
            **_by_parameter(mean, settled.cpu().numpy()),
            "spread": _by_parameter(spread_of, found[name].long_ends),
            "expected": _exact(expected[-1]),
            "predicted": _exact(theory.fixed + theory.shift),
            "predicted_spread": _exact(theory.deviation),
            "share_nearest_to_the_global_minimum": mean((nearest(point, minima) == 0).cpu()),
        }
    return {"long_steps": kept, "long": found}, {"long_runs": metrics}


def _gradients(
    name: str, stream: str, config: Gradients, device: torch.device | str
) -> tuple[Gradient, Gradient]:
    """∇L with the named estimator, from random numbers of its own, and what is expected of it."""
    random = generator(config.seed, stream, name, device=device)
    return noisy_gradient(name, config.batch, random), partial(expected_gradient, name)


def _as_sigma(points: Tensor) -> np.ndarray:
    """(μ, τ) as (μ, σ), as an array."""
    return as_sigma(points).cpu().numpy()


def _by_parameter(
    summary: Callable[[np.ndarray], Estimate], points: np.ndarray
) -> dict[str, Estimate]:
    """Of the columns of points (n, 2)."""
    return {"mu": summary(points[:, 0]), "sigma": summary(points[:, 1])}


def _exact(point: np.ndarray) -> dict[str, Estimate]:
    return {"mu": Estimate.exact(point[0]), "sigma": Estimate.exact(point[1])}


def _printed(name: str, ends: np.ndarray) -> dict[str, Any]:
    """The sheet's one run, and its distance from the mean of ours in standard deviations."""
    printed = SGD_ENDS[name.removesuffix("_as_printed")]
    return {
        parameter: {"value": value, "z_score": float((value - x.mean()) / x.std(ddof=1))}
        for parameter, value, x in zip(("mu", "sigma"), printed, ends.T, strict=True)
    }
