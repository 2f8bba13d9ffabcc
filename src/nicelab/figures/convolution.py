"""Log-determinants of 1×1 convolutions, by formula and by automatic differentiation."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import number

CLAIMS = {
    "determinant": ("(a) log|det A| = Σ log|s|", style.BLUE, "o"),
    "reshape": ("(b) any layout of the tensor", style.ORANGE, "s"),
    "convolution": ("(c) f₂: m n Σ log|s|", style.GREEN, "^"),
    "coupling": ("(d) coupling: m n Σ log|s(x)|", style.PURPLE, "D"),
}


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Formula against oracle, and the error of every case."""
    worst = max(metrics[claim]["largest_absolute_error"]["value"] for claim in CLAIMS)
    figure = style.new(
        f"All four log-determinant formulas agree with autograd to "
        f"{number(worst, '.1e')} nats or better",
        height=3.8,
    )
    left, right = figure.subplots(1, 2)
    for k, (claim, (label, colour, marker)) in enumerate(CLAIMS.items()):
        formula, oracle = (arrays[f"{claim}_{part}"].ravel() for part in ("formula", "autograd"))
        left.plot(oracle, formula, marker, ms=4, color=colour, label=label, alpha=0.7)
        error = np.maximum(np.abs(formula - oracle), 1e-17)
        spread = k + np.linspace(-0.3, 0.3, error.size)
        right.semilogy(spread, error, marker, ms=3, color=colour, alpha=0.7)
    left.axline((0, 0), slope=1, color=style.GREY, lw=0.8, zorder=0)
    left.set(xlabel="log|det| by autograd's Jacobian (nats)", ylabel="log|det| by formula (nats)")
    left.legend(loc="upper left")
    right.axhline(np.finfo(float).eps, color=style.GREY, ls=":", lw=1)
    right.annotate(
        "float64 rounding of 1",
        (3.3, np.finfo(float).eps),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=style.GREY,
    )
    right.set(ylabel="absolute error (nats); 0 drawn at 10⁻¹⁷", xlabel="claim")
    right.set_xticks(range(len(CLAIMS)), [label[:3] for label, _, _ in CLAIMS.values()])
    return figure
