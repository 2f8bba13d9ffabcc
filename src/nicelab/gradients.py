"""Estimators of ∇ E[X sin X], X ~ N(μ, σ²), and the SGD they drive (problem 6).

One contract: an estimator takes points (*, 2) of (μ, τ = log σ) and standard normal noise
(*, batch), and returns one gradient for each sample, (*, batch, 2). With X = μ + σ Y and
f(x) = x sin x:

    score function (log-derivative)     f(X) ∇ log p(X) = f(X) (Y/σ,  Y² − 1)
    pathwise (reparameterisation)       f′(X) ∂X/∂(μ, τ) = f′(X) (1,  σ Y)

The sheet's scripts have one fault each in the τ-component. Neither shows at σ = 1, where the
runs start: `score_as_printed` divides (X − μ)² by σ instead of σ², and `pathwise_as_printed`
drops the factor σ = ∂σ/∂τ.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from nicelab import objective
from nicelab.device import generator as stream
from nicelab.elbo import Elbo
from nicelab.params import Section
from nicelab.published import SGD_ENDS
from nicelab.statistics import Estimate, mean, standard_deviation

Estimator = Callable[[Tensor, Tensor], Tensor]


class Point(Section):
    """Parameters of the normal distribution."""

    mu: float
    sigma: Annotated[float, Field(gt=0)]


class Gradients(Section):
    """The sheet's run, how many seeds repeat it, and where the bias is measured."""

    start: Point
    learning_rate: Annotated[float, Field(gt=0)]
    batch: Annotated[int, Field(ge=1, le=1_000_000)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    seeds: Annotated[int, Field(ge=2, le=1_000_000)]
    bias_at: Point
    bias_samples: Annotated[int, Field(ge=2, le=100_000_000)]
    seed: Annotated[int, Field(ge=0)]
    elbo: Elbo


def as_tensor(point: Point) -> Tensor:
    """(μ, log σ) in float64, shape (2,)."""
    sigma = torch.tensor(point.sigma, dtype=torch.float64)
    return torch.stack([torch.tensor(point.mu, dtype=torch.float64), sigma.log()])


def score(point: Tensor, y: Tensor) -> Tensor:
    """f(X) (Y/σ, Y² − 1)."""
    return _score(point, y, power=2)


def score_as_printed(point: Tensor, y: Tensor) -> Tensor:
    """The sheet's: (X − μ)²/σ in place of (X − μ)²/σ²."""
    return _score(point, y, power=1)


def pathwise(point: Tensor, y: Tensor) -> Tensor:
    """f′(X) (1, σ Y)."""
    _, sigma, _ = _draw(point, y)
    return _pathwise(point, y, by_tau=sigma * y)


def pathwise_as_printed(point: Tensor, y: Tensor) -> Tensor:
    """The sheet's: Y in place of σ Y."""
    return _pathwise(point, y, by_tau=y)


ESTIMATORS: dict[str, Estimator] = {
    "score_as_printed": score_as_printed,
    "score": score,
    "pathwise_as_printed": pathwise_as_printed,
    "pathwise": pathwise,
}


def _draw(point: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """μ and σ, shape (*, 1), and X, shape (*, batch)."""
    mu, tau = point[..., None].unbind(-2)
    sigma = tau.exp()
    return mu, sigma, mu + sigma * y


def _score(point: Tensor, y: Tensor, power: int) -> Tensor:
    mu, sigma, x = _draw(point, y)
    f = x * x.sin()
    by_tau = (x - mu) ** 2 / sigma**power - 1
    return torch.stack([f * (x - mu) / sigma**2, f * by_tau], dim=-1)


def _pathwise(point: Tensor, y: Tensor, by_tau: Tensor) -> Tensor:
    _, _, x = _draw(point, y)
    derivative = x.sin() + x * x.cos()
    return torch.stack([derivative, derivative * by_tau], dim=-1)


def expected_gradient(name: str, point: Tensor) -> Tensor:
    """What the named estimator estimates, with L's deterministic part added; shape (*, 2).

    For the unbiased ones this is ∇L. E[f(X) Y²] = ∂_τ E f + E f gives the printed score's
    τ-component as σ (∂_τ E f + E f) − E f; the printed pathwise one is ∂_τ E f / σ.
    """
    sigma = point[..., 1].exp()
    by_mu, by_tau = objective.expectation_gradient(point).unbind(-1)
    if name == "score_as_printed":
        f = objective.expectation(point)
        by_tau = sigma * (by_tau + f) - f
    elif name == "pathwise_as_printed":
        by_tau = by_tau / sigma
    return torch.stack([by_mu, by_tau], dim=-1) + objective.deterministic_gradient(point)


def descend(
    gradient: Callable[[Tensor], Tensor], start: Tensor, learning_rate: float, steps: int
) -> Tensor:
    """Points of gradient descent, the start included; shape (steps + 1, *, 2)."""
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - learning_rate * gradient(points[-1]))
    return torch.stack(points)


def sgd(name: str, config: Gradients, generator: torch.Generator) -> Tensor:
    """Points of SGD with the named estimator; shape (steps + 1, seeds, 2), float64."""
    estimator = ESTIMATORS[name]

    def noisy(point: Tensor) -> Tensor:
        y = torch.randn(config.seeds, config.batch, generator=generator, dtype=torch.float64)
        return estimator(point, y).mean(-2) + objective.deterministic_gradient(point)

    start = as_tensor(config.start).expand(config.seeds, 2)
    return descend(noisy, start, config.learning_rate, config.steps)


def bias_samples(name: str, config: Gradients, generator: torch.Generator) -> Tensor:
    """Per-sample gradients less the exact one, at `bias_at`; shape (samples, 2)."""
    point = as_tensor(config.bias_at)
    y = torch.randn(config.bias_samples, generator=generator, dtype=torch.float64)
    return ESTIMATORS[name](point, y) - objective.expectation_gradient(point)


def study(config: Gradients) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """SGD with every estimator against the exact flow, and the bias of each.

    Returns:
        Arrays for the figure (for each estimator the expected path, (steps + 1, 2), the 2.5, 50
        and 97.5 % quantiles of μ and σ over seeds, (3, steps + 1, 2), and the end of every run,
        (seeds, 2); all as (μ, σ)), and metrics.
    """
    curves = _landscape()
    runs: dict[str, Any] = {}
    for name in ESTIMATORS:
        points = _as_sigma(sgd(name, config, stream(config.seed, "sgd", name)))
        expected = _as_sigma(_expected_path(name, config))
        error = bias_samples(name, config, stream(config.seed, "bias", name))
        curves[f"{name}_band"] = np.quantile(points, [0.025, 0.5, 0.975], axis=1)
        curves[f"{name}_expected"] = expected
        curves[f"{name}_ends"] = points[-1]
        runs[name] = {
            **_ends(points[-1]),
            "exact": {
                "mu": Estimate.exact(expected[-1, 0]),
                "sigma": Estimate.exact(expected[-1, 1]),
            },
            "bias": {"mu": mean(error[:, 0]), "tau": mean(error[:, 1])},
            "printed": _printed(name, points[-1]),
        }
    stationary = objective.stationary_points()
    minima = [s for s in stationary if s.kind == "minimum"]
    exact = {
        "minima": {"global": _exact(minima[0]), "local": _exact(minima[1])},
        "saddle": _exact(next(s for s in stationary if s.kind == "saddle")),
        "descent": runs["score"]["exact"],
    }
    return curves, {"exact": exact, "sgd": runs}


def _landscape() -> dict[str, np.ndarray]:
    """L on a grid of μ (columns) and σ (rows)."""
    mu = torch.linspace(-0.5, 2.5, 151, dtype=torch.float64)
    sigma = torch.linspace(0.2, 3, 141, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(mu, sigma.log(), indexing="xy"), dim=-1)
    return {
        "landscape_mu": mu.numpy(),
        "landscape_sigma": sigma.numpy(),
        "landscape": objective.value(points).numpy(),
    }


def _as_sigma(points: Tensor) -> np.ndarray:
    """(μ, τ) as (μ, σ)."""
    return torch.stack([points[..., 0], points[..., 1].exp()], dim=-1).numpy()


def _expected_path(name: str, config: Gradients) -> Tensor:
    """Descent along what the estimator estimates; the exact flow for the unbiased ones."""
    return descend(
        lambda point: expected_gradient(name, point),
        as_tensor(config.start),
        config.learning_rate,
        config.steps,
    )


def _ends(ends: np.ndarray) -> dict[str, Any]:
    return {
        "mu": mean(ends[:, 0]),
        "sigma": mean(ends[:, 1]),
        "spread": {
            "mu": standard_deviation(ends[:, 0]),
            "sigma": standard_deviation(ends[:, 1]),
        },
    }


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
