"""Which rule converges behind which mask."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import number

RULES = {
    "paper": ("paper", style.ORANGE, "D"),
    "gradient_zeroed": ("fixed step", style.BLUE, "s"),
    "paper_released": ("paper, as released", style.PURPLE, "v"),
    "as_printed": ("gradients summed, as printed", style.RED, "^"),
    "decaying": ("decaying Adam step", style.GREEN, "o"),
}
LINEAR = 1000  # nats about the truth within which the axis is linear
TICKS = (-1e5, -1e4, -1e3, 0, 1e3)


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Log p after the last step less the truth's, by rule and mask; traces of our rule."""
    published, names = metrics["published"], arrays["names"].tolist()
    reached = {rule: sum(_is_likelier(published[rule][name]) for name in names) for rule in RULES}
    ours = reached.pop("decaying")
    converged = np.mean(
        [mask["share_converged"]["value"] for start in metrics["ascent"].values()
         for mask in start.values()]
    )  # fmt: skip
    figure = style.new(
        f"{metrics['dataset']}: the decaying step ends likelier than the original behind {ours} "
        f"of {len(names)} masks,\nthe best published rule behind {max(reached.values())}; "
        f"{100 * converged:.0f} % of our {2 * len(names) * metrics['images']} ascents converge",
        height=7.0,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[1.25, 1])
    axes = above.subplots()
    for shift, (rule, (label, colour, marker)) in enumerate(RULES.items()):
        values = [published[rule][name]["log_likelihood_less_truth"] for name in names]
        axes.errorbar(
            np.arange(len(names)) + 0.13 * (shift - 2),
            [v["value"] for v in values],
            [1.96 * v["standard_error"] for v in values],
            fmt=marker, ms=4, capsize=2, lw=1, color=colour, label=label,
        )  # fmt: skip
    count = published["paper"][names[0]]["squared_error"]["n"]
    axes.axhline(0, color=style.GREY, ls=":", lw=1.2)
    axes.set_yscale("symlog", linthresh=LINEAR)
    axes.set_xticks(range(len(names)), style.words(names), rotation=30, ha="right")
    axes.set_ylabel("log p(x) less the original's (nats)")
    steps = len(arrays["paper_error"]) - 1
    axes.set_title(f"after {steps} steps, mean of {metrics['images']} images (published rules: "
                   f"{count}), 95 % intervals; linear within ±{LINEAR} nats")  # fmt: skip
    axes.set_yticks(TICKS, [number(tick, ".0e") if tick else "0" for tick in TICKS])
    axes.minorticks_off()
    above.legend(ncols=5, loc="outside upper left", columnspacing=1.0, handletextpad=0.2)
    left, right = below.subplots(1, 2)
    starts = {"grey": (style.GREEN, "from grey, 0.5"),
              "gaussian": (style.BLUE, "from the Gaussian's answer")}  # fmt: skip
    for start, (colour, label) in starts.items():
        for panel, key in ((left, "log_prob"), (right, "error")):
            panel.plot(arrays[f"{start}_{key}"].mean(1), color=colour, label=label)
    truth = metrics["truth"]["log_likelihood"]["value"]
    left.axhline(truth, color=style.GREY, ls=":", lw=1.2, label="the original images")
    left.set_ylim(truth - 2 * LINEAR, truth + 0.6 * LINEAR)
    left.set(xlabel="step", ylabel="log p(x) (nats)", title="mean over images and masks")
    left.legend(loc="lower right")
    right.set(xlabel="step", ylabel="squared error", ylim=(0, None))
    right.set_title("on hidden pixels")
    return figure


def _is_likelier(mask: dict[str, Any]) -> bool:
    """Whether the 95 % interval of the gain over the original lies above 0."""
    gain = mask["log_likelihood_less_truth"]
    return gain["value"] > 1.96 * gain["standard_error"]
