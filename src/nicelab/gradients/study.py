"""Estimators of a gradient, judged by their exact bias and variance (problem 6).

The objective is L(μ, τ) = E[X sin X] + (μ − 1)²/2 + σ − τ, whose gradient, minima and descent are
known exactly (`objective.py`). Every estimator of `estimators.py` is held against them: its bias
by a z-test at several points, its variance by quadrature, and the SGD that it drives by the exact
flow. The sheet's two scripts have a fault each; both are run beside the others.
"""

from typing import Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from pydantic import Field, model_validator
from torch import Tensor

from nicelab.gradients import objective
from nicelab.gradients.bernoulli import Bernoulli
from nicelab.gradients.descent import (
    F,
    basins,
    descend,
    expected_gradient,
    nearest,
    noisy_gradient,
)
from nicelab.gradients.elbo import Elbo
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.pipeline.params import Section
from nicelab.published import SGD_ENDS
from nicelab.statistics import Estimate, mean, standard_deviation
from nicelab.streams import generator as stream

PRINTED = {"score_as_printed", "score", "pathwise_as_printed", "pathwise"}
BASIN_RATE, BASIN_STEPS = 0.05, 3000  # enough for descent from anywhere in the map to settle


class Point(Section):
    """Parameters of the normal distribution."""

    mu: float
    sigma: Annotated[float, Field(gt=0)]


class Map(Section):
    """Part of the plane that is mapped, and the number of points along each axis."""

    mu: Annotated[list[float], Field(min_length=2, max_length=2)]
    sigma: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2, max_length=2)]
    size: Annotated[int, Field(ge=2, le=1000)]


class LongRun(Section):
    """SGD until it is stationary."""

    learning_rate: Annotated[float, Field(gt=0)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    seeds: Annotated[int, Field(ge=2, le=1_000_000)]


Batch = Annotated[int, Field(ge=2, le=65_536)]


class Gradients(Section):
    """The sheet's run, how many seeds repeat it, and where bias and variance are measured."""

    start: Point
    learning_rate: Annotated[float, Field(gt=0)]
    batch: Batch
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    seeds: Annotated[int, Field(ge=2, le=1_000_000)]
    points: Annotated[list[Point], Field(min_length=1, max_length=100)]
    replicates: Annotated[int, Field(ge=2, le=10_000_000)]
    batches: Annotated[list[Batch], Field(min_length=2)]
    long_run: LongRun
    map: Map
    seed: Annotated[int, Field(ge=0)]
    elbo: Elbo
    bernoulli: Bernoulli

    @model_validator(mode="after")
    def _powers_of_two(self) -> Self:
        for name, batches in (("batch", [self.batch]), ("batches", self.batches)):
            for batch in batches:
                if batch & (batch - 1):
                    raise ValueError(
                        f"{name} must be powers of 2, as Sobol' noise needs, got {batch}"
                    )
        return self


def as_tensor(point: Point) -> Tensor:
    """(μ, log σ) in float64, shape (2,)."""
    sigma = torch.tensor(point.sigma, dtype=torch.float64)
    return torch.stack([torch.tensor(point.mu, dtype=torch.float64), sigma.log()])


def study(config: Gradients) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Bias, variance and cost of every estimator; SGD with each; the objective's own answers.

    Returns:
        Arrays for the figures and metrics, by the names of the functions below.
    """
    arrays, metrics = {}, {}
    for part in (landscape, sgd, bias_and_variance, batch_sizes, long_runs):
        found, summary = part(config)
        arrays.update(found)
        metrics.update(summary)
    return arrays, metrics


Part = tuple[dict[str, np.ndarray], dict[str, Any]]


def landscape(config: Gradients) -> Part:
    """L, its basins and the estimators' variances on a grid of μ (columns) and σ (rows)."""
    size = config.map.size
    mu = torch.linspace(*config.map.mu, size, dtype=torch.float64)
    sigma = torch.linspace(*config.map.sigma, size, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(mu, sigma.log(), indexing="xy"), dim=-1)
    stationary = objective.stationary_points()
    minima = [s for s in stationary if s.kind == "minimum"]
    basin = basins(points, _minima(), BASIN_RATE, BASIN_STEPS)
    total = {
        name: ESTIMATORS[name].variance(F, points, config.batch).sum(-1)
        for name in ("score", "pathwise")
    }
    ratio = total["score"] / total["pathwise"]
    arrays = {
        "map_mu": mu.numpy(),
        "map_sigma": sigma.numpy(),
        "map_loss": objective.value(points).numpy(),
        "map_basin": basin.numpy(),
        "map_variance_ratio": ratio.numpy(),
    }
    exact = {
        "minima": {"global": _exact(minima[0]), "local": _exact(minima[1])},
        "saddle": _exact(next(s for s in stationary if s.kind == "saddle")),
        "share_of_the_map_that_descends_to_the_global_minimum": Estimate.exact(
            (basin == 0).double().mean()
        ),
        "share_of_the_map_where_the_score_function_has_less_variance_than_pathwise": (
            Estimate.exact((ratio < 1).double().mean())
        ),
    }
    return arrays, {"exact": exact}


def sgd(config: Gradients) -> Part:
    """SGD with every estimator, over seeds, beside the descent that is expected of it.

    Arrays, all as (μ, σ): `<name>_band`, the 2.5, 50 and 97.5 % quantiles, (3, steps + 1, 2), and
    for the sheet's estimators `<name>_ends`, (seeds, 2), and `<name>_expected`, (steps + 1, 2).
    """
    arrays, runs = {}, {}
    start = as_tensor(config.start)
    for name in ESTIMATORS:
        noisy = noisy_gradient(name, config.batch, stream(config.seed, "sgd", name))
        starts = start.expand(config.seeds, 2)
        points = _as_sigma(descend(noisy, starts, config.learning_rate, config.steps))
        expected = _as_sigma(
            descend(
                lambda p, name=name: expected_gradient(name, p),
                start,
                config.learning_rate,
                config.steps,
            )
        )
        runs[name] = {
            **_ends(points[-1]),
            "exact": {"mu": Estimate.exact(expected[-1, 0]),
                      "sigma": Estimate.exact(expected[-1, 1])},
        }  # fmt: skip
        arrays[f"{name}_band"] = np.quantile(points, [0.025, 0.5, 0.975], axis=1)
        if name in PRINTED:
            runs[name]["printed"] = _printed(name, points[-1])
            arrays[f"{name}_expected"] = expected
            arrays[f"{name}_ends"] = points[-1]
    return arrays, {"sgd": runs}


def bias_and_variance(config: Gradients) -> Part:
    """At each point the error of the mean gradient, and the variance, observed and exact.

    Means over independent batches are the samples. Variances are those of such a mean, times the
    batch. `work` is the exact variance of the mean, times the evaluations of f that it costs,
    summed over μ and τ: how many evaluations buy a variance of 1.

    Arrays: `z_scores`, (points, estimators, 2); `work`, (points, estimators).
    """
    zs, works = [], []
    metrics: dict[str, Any] = {name: {} for name in ESTIMATORS}
    for k, at in enumerate(config.points):
        point = as_tensor(at)
        gradient = objective.expectation_gradient(point)
        for name, estimator in ESTIMATORS.items():
            random = stream(config.seed, "bias", name, k)
            many = point.expand(config.replicates, 2)
            error = estimator(F, many, config.batch, random).mean(-2) - gradient
            variance = estimator.variance(F, point, config.batch)
            work = estimator.evaluations(config.batch) * variance.sum() / config.batch
            squares = config.batch * (error - error.mean(0)) ** 2
            metrics[name][_label(at)] = {
                "bias": {"mu": _mean(error[:, 0]), "tau": _mean(error[:, 1])},
                "variance": {"mu": mean(squares[:, 0]), "tau": mean(squares[:, 1])},
                "exact_variance": {"mu": Estimate.exact(variance[0]),
                                   "tau": Estimate.exact(variance[1])},
                "work": Estimate.exact(work),
            }  # fmt: skip
            zs.append([_z_score(error[:, j]) for j in (0, 1)])
            works.append(float(work))
    shape = (len(config.points), len(ESTIMATORS))
    arrays = {
        "names": np.array(list(ESTIMATORS)),
        "points": np.array([[at.mu, at.sigma] for at in config.points]),
        "z_scores": np.array(zs).reshape(*shape, 2),
        "work": np.array(works).reshape(shape),
    }
    return arrays, {"estimators": metrics}


def batch_sizes(config: Gradients) -> Part:
    """Variance of the mean of a batch at the first point, against the batch's size.

    Arrays: `batches`, (k,); `batch_variances`, exact, and `batch_observed`, `batch_errors`,
    each (estimators, k), summed over μ and τ. The slope is that of a line through the exact ones
    in logarithms: −1 for independent samples.
    """
    point = as_tensor(config.points[0])
    exact, observed, errors, slopes = [], [], [], {}
    for name, estimator in ESTIMATORS.items():
        variances = [estimator.variance(F, point, n).sum() / n for n in config.batches]
        exact.append([float(v) for v in variances])
        found = []
        for n in config.batches:
            replicates = max(2, config.replicates * config.batch // max(n, config.batch))
            random = stream(config.seed, "batch", name, n)
            means = estimator(F, point.expand(replicates, 2), n, random).mean(-2)
            found.append(mean(((means - means.mean(0)) ** 2).sum(-1)))
        observed.append([estimate.value for estimate in found])
        errors.append([estimate.standard_error for estimate in found])
        if min(exact[-1]) > 0:
            slope = np.polyfit(np.log(config.batches), np.log(exact[-1]), 1)[0]
            slopes[name] = Estimate.exact(slope)
    arrays = {
        "batches": np.array(config.batches),
        "batch_variances": np.array(exact),
        "batch_observed": np.array(observed),
        "batch_errors": np.array(errors),
    }
    return arrays, {"batch_slopes": slopes}


def long_runs(config: Gradients) -> Part:
    """SGD of the sheet's estimators, as printed and right, until it settles.

    Arrays, as (μ, σ): `<name>_long`, the expected descent at `long_steps`, some 1000 of them, and
    `<name>_long_ends`, (seeds, 2).
    """
    run, start = config.long_run, as_tensor(config.start)
    steps = np.arange(0, run.steps + 1, max(1, run.steps // 1000))
    arrays, metrics = {"long_steps": steps}, {}
    for name in sorted(PRINTED):
        noisy = noisy_gradient(name, config.batch, stream(config.seed, "long", name))
        point = start.expand(run.seeds, 2)
        for _ in range(run.steps):
            point = point - run.learning_rate * noisy(point)
        path = descend(
            lambda p, name=name: expected_gradient(name, p), start, run.learning_rate, run.steps
        )
        ends = _as_sigma(point)
        arrays[f"{name}_long"] = _as_sigma(path)[steps]
        arrays[f"{name}_long_ends"] = ends
        metrics[name] = {
            "mu": mean(ends[:, 0]),
            "sigma": mean(ends[:, 1]),
            "expected": {"mu": Estimate.exact(path[-1, 0]),
                         "sigma": Estimate.exact(path[-1, 1].exp())},
            "share_nearest_to_the_global_minimum": mean(nearest(point, _minima()) == 0),
        }  # fmt: skip
    return arrays, {"long_runs": metrics}


def _minima() -> Tensor:
    """The minima as (μ, τ), the lowest first, shape (k, 2)."""
    minima = [s for s in objective.stationary_points() if s.kind == "minimum"]
    return torch.stack([as_tensor(Point(mu=m.mu, sigma=m.sigma)) for m in minima])


def _label(point: Point) -> str:
    return f"mu={point.mu:g} sigma={point.sigma:g}"


def _z_score(errors: Tensor) -> float:
    """Of the mean error from 0; 0 where nothing is random, so that there is nothing to test."""
    if np.ptp(errors.numpy()) < 1e-12:
        return 0.0
    return mean(errors).z_score(0.0)


def _as_sigma(points: Tensor) -> np.ndarray:
    """(μ, τ) as (μ, σ)."""
    return torch.stack([points[..., 0], points[..., 1].exp()], dim=-1).numpy()


def _ends(ends: np.ndarray) -> dict[str, Any]:
    return {
        "mu": _mean(ends[:, 0]),
        "sigma": _mean(ends[:, 1]),
        "spread": {
            "mu": _spread(ends[:, 0]),
            "sigma": _spread(ends[:, 1]),
        },
    }


def _mean(samples: ArrayLike) -> Estimate:
    """Mean over independent runs, exact where nothing is random."""
    if np.ptp(np.asarray(samples)) == 0:
        return Estimate.exact(samples[0])
    return mean(samples)


def _spread(samples: np.ndarray) -> Estimate:
    """Standard deviation over seeds, exactly 0 where nothing is random."""
    if np.ptp(samples) == 0:
        return Estimate.exact(0.0)
    return standard_deviation(samples)


def _printed(name: str, ends: np.ndarray) -> dict[str, Any]:
    """The sheet's one run, and its distance from the mean of ours in standard deviations."""
    printed = SGD_ENDS[name.removesuffix("_as_printed")]
    return {
        parameter: {
            "value": value,
            "z_score": float((value - ends[:, k].mean()) / ends[:, k].std(ddof=1)),
        }
        for k, (parameter, value) in enumerate(zip(("mu", "sigma"), printed, strict=True))
    }


def _exact(point: objective.Stationary) -> dict[str, Estimate]:
    return {
        "mu": Estimate.exact(point.mu),
        "sigma": Estimate.exact(point.sigma),
        "loss": Estimate.exact(point.loss),
    }
