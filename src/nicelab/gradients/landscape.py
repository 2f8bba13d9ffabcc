"""The objective's map: its basins, its stationary points, and where which estimator is better."""

import math
from typing import Any

import torch
from torch import Tensor

from nicelab.gradients import objective
from nicelab.gradients.config import Gradients, Map
from nicelab.gradients.descent import basins
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.objective import F, Stationary
from nicelab.statistics import Estimate

BASIN_RATE, BASIN_STEPS = 0.05, 3000  # enough for descent from anywhere in the map to settle


def landscape(
    config: Gradients, device: torch.device | str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """L, its basins and the estimators' variances on a grid of μ (columns) and τ = log σ (rows).

    Shares of the map are of its area in (μ, τ), the parameters that descent moves.

    Returns:
        The fields `map_…` of `GradientsRecord`, and metrics.
    """
    mu, sigma, points = grid(config.map, device)
    basin = basins(points, objective.minima(points), BASIN_RATE, BASIN_STEPS)
    ratio = variance_ratio(points, config.batch)
    found = {
        "map_mu": mu,
        "map_sigma": sigma,
        "map_loss": objective.value(points),
        "map_basin": basin,
        "map_variance_ratio": ratio,
    }
    shares = {
        "share_of_the_map_that_descends_to_the_global_minimum": basin == 0,
        "share_of_the_map_where_the_score_function_has_less_variance_than_pathwise": ratio < 1,
    }
    exact = {
        **_stationary(),
        **{name: Estimate.exact(where.double().mean()) for name, where in shares.items()},
    }
    return {name: x.cpu().numpy() for name, x in found.items()}, {"exact": exact}


def grid(part: Map, device: torch.device | str) -> tuple[Tensor, Tensor, Tensor]:
    """μ and σ, both (size,), and the points (μ, τ), (size, size, 2), in float64.

    Even in μ and τ, so that each point stands for the same area of the parameters' plane.
    """
    mu, tau = (
        torch.linspace(*ends, part.size, dtype=torch.float64, device=device)
        for ends in (part.mu, map(math.log, part.sigma))
    )
    return mu, tau.exp(), torch.stack(torch.meshgrid(mu, tau, indexing="xy"), dim=-1)


def variance_ratio(points: Tensor, batch: int) -> Tensor:
    """Exact variance of the score function over that of pathwise, summed over μ and τ, (*)."""
    score, path = (
        ESTIMATORS[name].variance(F, points, batch).sum(-1) for name in ("score", "pathwise")
    )
    return score / path


def _stationary() -> dict[str, Any]:
    points = objective.stationary_points()
    low, high = (_exact(p) for p in points if p.kind == "minimum")
    saddle = next(_exact(p) for p in points if p.kind == "saddle")
    return {"minima": {"global": low, "local": high}, "saddle": saddle}


def _exact(point: Stationary) -> dict[str, Estimate]:
    return {name: Estimate.exact(getattr(point, name)) for name in ("mu", "sigma", "loss")}
