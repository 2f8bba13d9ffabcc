"""The headline of the 1×1 convolution: how far its formulas are from autograd."""

from nicelab.pipeline.metrics import Metrics
from nicelab.report.headlines.headline import Headline, at_least

ROUNDING = 1e-9  # nats, in float64


def claims(metrics: Metrics) -> Headline:
    """Of all claims."""
    worst = largest_error(metrics)
    return Headline(
        "convolution.log10_largest_error",
        "1×1 convolution, four claims: largest error (nats)",
        at_least(worst),
        exact="0",
        exact_agrees="to rounding" if worst < ROUNDING else "no",
        logarithm=True,
        form=".1e",
    )


def largest_error(metrics: Metrics) -> float:
    """Largest |formula − autograd| over all claims on 1×1 convolutions, in nats."""
    claims = metrics["labels"]["claims"]
    return max(metrics[claim]["largest_absolute_error"].value for claim in claims)
