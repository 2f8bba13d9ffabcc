"""How the variance of a batch's mean falls with the batch's size."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nicelab.gradients.config import Gradients
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.gradients.objective import F
from nicelab.gradients.repetitions import variances_of
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator


def batch_sizes(
    config: Gradients, device: torch.device | str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Variance of the mean of a batch at the first point, against the batch's size.

    The slope is that of a line through the exact ones in logarithms: −1 for independent samples.

    Returns:
        The fields `batches` and `batch_…` of `GradientsRecord`, and metrics.
    """
    point, sizes = config.points[0].tensor(device), config.batches
    exact = {
        name: [float(estimator.variance(F, point, n).sum() / n) for n in sizes]
        for name, estimator in ESTIMATORS.items()
    }
    found = [[observed(name, point, n, config) for n in sizes] for name in ESTIMATORS]
    slopes = {name: _slope(sizes, variances) for name, variances in exact.items()}
    return {
        "batches": np.array(sizes),
        "batch_variances": np.array(list(exact.values())),
        "batch_observed": np.array([[e.value for e in row] for row in found]),
        "batch_errors": np.array([[e.standard_error for e in row] for row in found]),
    }, {"batch_slopes": {name: slope for name, slope in slopes.items() if slope is not None}}


def observed(name: str, point: Tensor, batch: int, config: Gradients) -> Estimate:
    """Variance of the named estimator's mean over a batch, summed over μ and τ.

    From as many samples in all as elsewhere, whatever the batch.
    """
    replicates = max(2, config.replicates * config.batch // max(batch, config.batch))
    random = generator(config.seed, "batch", name, batch, device=point.device)
    means = ESTIMATORS[name](F, point.expand(replicates, 2), batch, random).mean(-2)
    return mean(variances_of(means).sum(-1).cpu())


def _slope(sizes: list[int], variances: list[float]) -> Estimate | None:
    """None where there is no variance."""
    if min(variances) <= 0:
        return None
    return Estimate.exact(np.polyfit(np.log(sizes), np.log(variances), 1)[0])
