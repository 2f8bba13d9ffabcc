"""Whether the nodes that some estimators spend on a baseline were better spent on quadrature."""

from typing import Any

import torch

from nicelab.gradients import objective
from nicelab.gradients.config import Gradients
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.objective import F
from nicelab.gradients.quadrature import FEW_NODES
from nicelab.statistics import Estimate

SPENDERS = {name: x for name, x in ESTIMATORS.items() if x.per_batch == FEW_NODES}


def nodes(config: Gradients, device: torch.device | str) -> tuple[dict[str, Any], dict[str, Any]]:
    """At each point the error of plain quadrature, and the least deviation of a batch's mean.

    Both are lengths in (μ, τ): of the difference from the exact gradient, and the root of the
    variance summed over both. Of the estimators that spend `FEW_NODES` nodes a batch, beside the
    batch itself, the one with the least variance counts.

    Returns:
        No field, and metrics.
    """
    found = {}
    for at in config.points:
        point = at.tensor(device)
        plain = ESTIMATORS["quadrature"].terms(F, point, point.new_zeros(FEW_NODES, 1)).mean(-2)
        error = (plain - objective.expectation_gradient(point)).norm()
        variance = min(float(x.variance(F, point, config.batch).sum()) for x in SPENDERS.values())
        found[at.name] = {
            "quadrature": Estimate.exact(error),
            "least_deviation": Estimate.exact((variance / config.batch) ** 0.5),
        }
    return {}, {"nodes": found, "few_nodes": FEW_NODES}
