"""Gradient descent on the objective of problem 6: exact, expected and stochastic."""

from collections.abc import Callable

import torch
from torch import Tensor

from nicelab.gradients import objective
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.objective import F


def descend(
    gradient: Callable[[Tensor], Tensor], start: Tensor, learning_rate: float, steps: int
) -> Tensor:
    """Points of gradient descent, the start included; shape (steps + 1, *, 2)."""
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - learning_rate * gradient(points[-1]))
    return torch.stack(points)


def settle(
    gradient: Callable[[Tensor], Tensor], start: Tensor, learning_rate: float, steps: int
) -> tuple[Tensor, Tensor]:
    """Where stochastic descent ends, and where it is on average once the start is forgotten.

    Returns:
        (μ, τ) after the last step, and the mean of (μ, σ) over the second half of the steps,
        both (*, 2).
    """
    point, total = start, torch.zeros_like(start)
    for step in range(steps):
        point = point - learning_rate * gradient(point)
        if step >= steps // 2:
            total = total + as_sigma(point)
    return point, total / (steps - steps // 2)


def as_sigma(points: Tensor) -> Tensor:
    """(μ, τ) as (μ, σ), both (*, 2)."""
    return torch.stack([points[..., 0], points[..., 1].exp()], dim=-1)


def noisy_gradient(
    name: str, batch: int, generator: torch.Generator
) -> Callable[[Tensor], Tensor]:
    """∇L with its expectation estimated by the named estimator, from a new batch each time."""
    estimator = ESTIMATORS[name]
    return lambda point: (
        estimator(F, point, batch, generator).mean(-2) + objective.deterministic_gradient(point)
    )


def expected_gradient(name: str, point: Tensor) -> Tensor:
    """What the named estimator estimates, with L's deterministic part added; shape (*, 2).

    For the unbiased ones this is ∇L. E[f(X) Y²] = ∂_τ E f + E f gives the printed score's
    τ-component as σ (∂_τ E f + E f) − E f; the printed pathwise one is ∂_τ E f / σ.
    """
    sigma = point[..., 1].exp()
    by_mu, by_tau = objective.expectation_gradient(point).unbind(-1)
    if name == "score_as_printed":
        expectation = objective.expectation(point)
        by_tau = sigma * (by_tau + expectation) - expectation
    elif name == "pathwise_as_printed":
        by_tau = by_tau / sigma
    return torch.stack([by_mu, by_tau], dim=-1) + objective.deterministic_gradient(point)


def basins(starts: Tensor, minima: Tensor, learning_rate: float, steps: int) -> Tensor:
    """Index of the minimum that exact descent reaches from each start, shape (*).

    Args:
        starts: points (μ, τ), shape (*, 2).
        minima: points (μ, τ), shape (k, 2).
        learning_rate: of the descent.
        steps: of the descent; its end is taken for the nearest minimum.
    """
    point = starts
    for _ in range(steps):
        point = point - learning_rate * objective.gradient(point)
    return nearest(point, minima)


def nearest(points: Tensor, minima: Tensor) -> Tensor:
    """Index of the minimum nearest to each point in (μ, τ), shape (*)."""
    return (points[..., None, :] - minima).norm(dim=-1).argmin(-1)
