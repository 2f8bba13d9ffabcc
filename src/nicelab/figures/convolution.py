"""Log-determinants of 1×1 convolutions, by formula and by automatic differentiation."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.flows.records import Claims
from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics

LOOKS = {
    "determinant": (style.BLUE, "o"),
    "reshape": (style.ORANGE, "s"),
    "convolution": (style.GREEN, "^"),
    "coupling": (style.PURPLE, "D"),
}
NOTHING = 1e-17  # where an error of 0 is drawn


def draw(found: Claims, metrics: Metrics) -> Figure:
    """Formula against oracle, and the error of every case."""
    worst = max(metrics[claim]["largest_absolute_error"].value for claim in found.cases)
    figure = style.new(
        f"Log-determinants by {len(found.cases)} formulas and by autograd differ by at most "
        f"{number(worst, '.1e')} nats",
        height=3.8,
    )
    left, right = figure.subplots(1, 2)
    labels = metrics["labels"]["claims"]
    for k, (claim, cases) in enumerate(found.cases.items()):
        colour, marker = LOOKS[claim]
        formula, oracle = cases.formula.ravel(), cases.autograd.ravel()
        left.plot(oracle, formula, marker, ms=4, color=colour, label=labels[claim], alpha=0.7)
        error = np.maximum(np.abs(formula - oracle), NOTHING)
        spread = k + np.linspace(-0.3, 0.3, error.size)
        right.semilogy(spread, error, marker, ms=3, color=colour, alpha=0.7)
    left.axline((0, 0), slope=1, color=style.GREY, lw=0.8, zorder=0)
    left.set(xlabel="log|det| by autograd's Jacobian (nats)", ylabel="log|det| by formula (nats)")
    left.legend(loc="upper left")
    _rounding(right)
    right.set(ylabel="absolute error (nats); 0 drawn at 10⁻¹⁷", xlabel="claim")
    right.set_xticks(range(len(found.cases)), [labels[claim][:3] for claim in found.cases])
    return figure


def _rounding(axes: Axes) -> None:
    eps = np.finfo(float).eps
    axes.axhline(eps, color=style.GREY, ls=":", lw=1)
    style.note(axes, "float64 rounding of 1", 3.3, eps)
