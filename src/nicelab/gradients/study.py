"""Estimators of a gradient, judged by their exact bias and variance (problem 6).

The objective is L(μ, τ) = E[X sin X] + (μ − 1)²/2 + σ − τ, whose gradient, minima and descent are
known exactly (`objective.py`). Every estimator of `estimators.py` is held against them: its bias
by a z-test at several points, its variance by quadrature, and the SGD that it drives by the exact
flow. The sheet's two scripts have a fault each; both are run beside the others. An ELBO
(problem 1) is judged in the same way.
"""

from typing import Any

import torch
from tqdm import tqdm

from nicelab.gradients import elbo, estimators
from nicelab.gradients.batch_sizes import batch_sizes
from nicelab.gradients.bias_and_variance import bias_and_variance
from nicelab.gradients.budget import LABELS, at_equal_evaluations
from nicelab.gradients.config import Gradients
from nicelab.gradients.landscape import landscape
from nicelab.gradients.nodes import nodes
from nicelab.gradients.records import GradientsRecord
from nicelab.gradients.runs import long_runs, sgd

PARTS = (
    landscape,
    sgd,
    bias_and_variance,
    nodes,
    batch_sizes,
    long_runs,
    at_equal_evaluations,
)
REGISTRIES = {
    "estimators": estimators.ESTIMATORS,
    "elbo": elbo.ESTIMATORS,
}


def judge(
    config: Gradients, device: torch.device | str = "cpu"
) -> tuple[GradientsRecord, dict[str, Any]]:
    """Bias, variance and cost of every estimator; SGD with each; the objective's own answers.

    Returns:
        What the figures show, and metrics: those of each part, by its name, and labels.
    """
    fields, metrics = {}, {}
    for part in tqdm(PARTS, "gradients", unit=" parts", disable=None):
        found, summary = part(config, device)
        fields |= found
        metrics |= summary
    metrics["elbo"] = elbo.measure(config.elbo, config.seed, device)
    return GradientsRecord(**fields), {**metrics, "labels": labels()}


def labels() -> dict[str, dict[str, str]]:
    """What a reader calls the estimators of each kind."""
    return {
        kind: {name: entry.label for name, entry in registry.items()}
        for kind, registry in REGISTRIES.items()
    } | {"optimisers": LABELS}
