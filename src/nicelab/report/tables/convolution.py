"""The table of the formulas for log-determinants."""

from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import Table


def claims(metrics: Metrics) -> Table:
    """Each formula against autograd."""
    return Table(
        "Formula against autograd (nats)",
        ("claim", "cases", "largest |log det|", "largest error"),
        [_claim(label, metrics[name]) for name, label in metrics["labels"]["claims"].items()],
    )


def _claim(label: str, metrics: Metrics) -> tuple[str, ...]:
    return (
        label,
        str(metrics["cases"]),
        number(metrics["largest_log_determinant"].value, ".4g"),
        number(metrics["largest_absolute_error"].value, ".1e"),
    )
