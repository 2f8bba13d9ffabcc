"""Table of what the parts of a flow are worth."""

from nicelab.formatting import estimate, number
from nicelab.pipeline.metrics import Metrics
from nicelab.report.tables.table import NONE, Table


def rungs(metrics: Metrics) -> Table:
    """Every rung with its likelihood, and what it has less than the first."""
    first = next(iter(metrics["rungs"].values()))
    return Table(
        f"{metrics['flow']} on {metrics['dataset']} with one part changed: validation "
        f"log-likelihood in nats after {metrics['epochs']} epochs, unless said otherwise, over "
        f"{first['log_likelihood'].n} trainings of each",
        ("flow", "weights", "log-likelihood", "less complete", "95 %, all together (Dunnett)"),
        [_row(rung) for rung in metrics["rungs"].values()],
    )


def _row(rung: Metrics) -> tuple[str, ...]:
    compared = "less_complete" in rung
    return (
        rung["label"],
        f"{rung['parameters']:,}".replace(",", " "),
        estimate(rung["log_likelihood"]),
        estimate(rung["less_complete"]) if compared else NONE,
        " to ".join(number(end, ".1f") for end in rung["interval"]) if compared else NONE,
    )


def told(metrics: Metrics) -> str:
    """Which parts are worth something, by the intervals."""
    changed = [rung for rung in metrics["rungs"].values() if "interval" in rung]
    lower, higher, between = [], [], []
    for rung in changed:
        low, high = rung["interval"]
        side = lower if high < 0 else higher if low > 0 else between
        side.append(f"“{rung['label']}”")
    said = {
        "lower than that of the complete flow": lower,
        "higher": higher,
        "neither shown to be lower nor higher": between,
    }
    parts = [f"{how} with {' and '.join(names)}" for how, names in said.items() if names]
    return f"The likelihood is {'; '.join(parts)}."
