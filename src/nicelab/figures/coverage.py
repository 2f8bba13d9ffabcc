"""Coverage of the intervals against q, and when the paths that hit do so."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style

KINDS = {
    "normal": ("normal", style.BLUE, "o"),
    "log_normal": ("log-normal", style.ORANGE, "D"),
}
NOMINAL = 0.95


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Coverage of 95 % intervals for every constant proposal; the hitting time given a hit."""
    sheet = metrics["methods"]["sheet"]
    share = sheet["coverage"]["normal"]
    figure = style.new(
        f"{metrics['paths']} paths, q = {sheet['q']:g}: the normal 95 % interval covers the "
        f"answer in {100 * share['value']:.1f} %\nof {share['n']} replicates; where few weights "
        "dominate, in far fewer",
        height=3.9,
    )
    left, right = figure.subplots(1, 2)
    q = arrays["coverage_q"]
    for kind, (label, colour, marker) in KINDS.items():
        error = 1.96 * arrays[f"coverage_{kind}_standard_error"]
        left.errorbar(q, arrays[f"coverage_{kind}"], error, fmt=marker, ms=3.5, lw=1, capsize=2,
                      color=colour, label=label)  # fmt: skip
    left.axhline(NOMINAL, color=style.GREY, ls=":", lw=1.2, label="nominal")
    left.axvline(sheet["q"], color=style.GREY, lw=0.8, label="the sheet's q")
    left.axvline(metrics["exact"]["optimal_q"]["value"], color=style.GREEN, lw=0.8, label="best q")
    left.set(xlabel="win probability q of the proposal", ylabel="coverage", ylim=(-0.02, 1.02))
    left.legend(loc="lower center", bbox_to_anchor=(0.42, 0.05), frameon=True, framealpha=1,
                edgecolor="none")  # fmt: skip
    hit = arrays["hit"]
    t = np.flatnonzero(hit)
    law = hit[t] / hit.sum()
    mean = (law * t).sum()
    spread = np.sqrt((law * (t - mean) ** 2).sum())
    right.fill_between(t, law, color=style.SKY, lw=0)
    right.axvline(mean, color=style.BLUE, lw=1.2)
    right.set(xlabel="play at which the target is reached", ylabel="probability, given a hit",
              ylim=(0, None))  # fmt: skip
    right.set_title(f"exact; mean {mean:.1f}, standard deviation {spread:.1f}", fontsize=9)
    return figure
