"""Several completions of one image, their mean and spread; coverage of the posterior."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nicelab.figures import style

MASKS = 5  # of which the draws are shown
DRAWS = 4


def draw(arrays: dict[str, np.ndarray], metrics: dict[str, Any]) -> Figure:
    """Draws, mean and standard deviation behind some masks; coverage behind all."""
    names, posterior = arrays["names"].tolist(), metrics["posterior"]
    nominal = posterior["nominal_coverage"]["value"]
    coverage = [posterior["masks"][name]["coverage_of_uncertain"] for name in names]
    low, high = (f(c["value"] for c in coverage) for f in (min, max))
    figure = style.new(
        f"{metrics['dataset']}: intervals of NICE's posterior with nominal coverage "
        f"{100 * nominal:.0f} %\ncover {100 * low:.0f} to {100 * high:.0f} % of the hidden pixels",
        height=8.0,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[2.2, 1])
    side = int(np.sqrt(arrays["truth"].size))
    shown = range(0, len(names), -(-len(names) // MASKS))
    count = min(DRAWS, arrays["chains"].shape[1])
    grid = above.subplots(len(shown), count + 4, squeeze=False)
    top = arrays["standard_deviation"][list(shown)].max()
    for row, k in zip(grid, shown, strict=True):
        images = {
            "original": arrays["truth"],
            "observed": np.where(arrays["hidden"][k], 0.5, arrays["truth"]),
            **{f"chain {c + 1}": arrays["chains"][k, c].clip(0, 1) for c in range(count)},
            "mean": arrays["mean"][k].clip(0, 1),
        }
        for axes, (title, image) in zip(row, images.items(), strict=False):
            style.image(axes, image.reshape(side, side), title if k == 0 else "")
        row[0].text(-0.08, 0.5, style.words([names[k]])[0].replace(" ", "\n"), ha="right",
                    va="center", transform=row[0].transAxes, fontsize=8)  # fmt: skip
        spread = row[-1].imshow(
            arrays["standard_deviation"][k].reshape(side, side), cmap="cividis", vmin=0, vmax=top
        )
        row[-1].set_axis_off()
        row[-1].set_title("spread" if k == 0 else "")
    above.colorbar(spread, ax=grid[:, -1], shrink=0.7, label="standard deviation (grey range)")
    axes = below.subplots()
    axes.errorbar(
        range(len(names)),
        [c["value"] for c in coverage],
        [1.96 * c["standard_error"] for c in coverage],
        fmt="o", ms=5, capsize=3, color=style.BLUE, label="measured, 95 % interval",
    )  # fmt: skip
    axes.axhline(nominal, color=style.GREY, ls=":", lw=1.2, label="nominal")
    axes.set(ylabel="coverage", ylim=(0.4, 1))
    axes.set_xticks(range(len(names)), style.words(names), rotation=30, ha="right")
    axes.set_title(f"interval spanned by {posterior['draws']} draws, pixels whose draws differ; "
                   f"{coverage[0]['n']} images")  # fmt: skip
    axes.legend(loc="lower right")
    return figure
