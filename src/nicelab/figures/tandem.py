"""What the overflow probability of two queues in tandem costs against the number of customers."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.formatting import number
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import margins
from nicelab.tandem.records import Growth, TandemRecord, name

ERROR = 0.01  # relative error for which jumps are shown
LEAST, MOST = 1e2, 1e17  # jumps, between which the axis goes
FOLLOWED = 300  # log₁₀ of the jumps to which a line is drawn, far beyond the axis
LOOKS = {  # of an estimator: colour, the marker of what is observed, and where beside N it is
    "crude": (style.GREY, "o", 1.0),
    "exchange": (style.RED, "v", 1.0),
    "subsolution": (style.BLUE, "s", 1.0),
    "approximation": (style.GREEN, "D", 1.0),
    "splitting_by_customers": (style.ORANGE, "<", 0.93),
    "splitting_by_formula": (style.PURPLE, ">", 1.08),
}
TOLD = ("exchange", "subsolution", "approximation")  # what the title speaks of


def draw(found: TandemRecord, metrics: Metrics) -> Figure:
    """A panel for each regime: jumps of every estimator against N, exact lines, observed dots."""
    regimes, labels = metrics["labels"]["regimes"], metrics["labels"]["estimators"]
    figure = style.new(finding(found, metrics), height=4.9)
    panels = figure.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (regime, label) in zip(panels, regimes.items(), strict=True):
        for estimator in LOOKS:
            growth = found.growth[name(regime, estimator)]
            _growth(axes, found.size, growth, LOOKS[estimator], labels[estimator])
        axes.set(xscale="log", yscale="log", xlabel="customers N")
        axes.set_xticks(found.size, [str(size) for size in found.size], fontsize=8)
        axes.minorticks_off()
        axes.set_title(label)
    axis = f"jumps for a relative error of {number(100 * ERROR, 'g')} %"
    panels[0].set(ylim=(LEAST, MOST), ylabel=axis)
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        texts,
        loc="outside lower center",
        ncols=3,
        title="lines: exact; dots: observed, with 95 % intervals of the logarithm; ∞: the first "
        f"N with an infinite variance; {labels['doob']} has none",
    )
    return figure


def _growth(
    axes: Axes, size: np.ndarray, growth: Growth, look: tuple[str, str, float], label: str
) -> None:
    colour, marker, shift = look
    log_jumps = growth.log10_work - 2 * np.log10(ERROR)
    followed = log_jumps < FOLLOWED
    lines = 10 ** np.where(followed & np.isfinite(log_jumps), log_jumps, np.nan)
    axes.plot(size, lines, color=colour, lw=1.3)
    dots, ratio = growth.observed / ERROR**2, np.exp(margins(growth.error / growth.observed))
    axes.errorbar(
        shift * size,
        dots,
        [dots * (1 - 1 / ratio), dots * (ratio - 1)],
        fmt=marker,
        ms=4,
        capsize=2,
        color=colour,
        label=label,
    )
    for x, y, log10 in zip(size, lines, log_jumps, strict=True):
        if y < MOST:
            style.mark(axes, x, y, f"{label}: {power(log10)} jumps")
    infinite = np.isposinf(growth.log10_work)
    if infinite.any():
        sign = {"color": colour, "ha": "center", "va": "bottom", "fontsize": 12}
        place = axes.get_xaxis_transform()
        axes.text(size[np.argmax(infinite)], 0.9, "∞", transform=place, **sign)


def finding(found: TandemRecord, metrics: Metrics) -> str:
    """Jumps of some proposals for the most customers, in every regime."""
    labels, regimes = metrics["labels"]["estimators"], metrics["labels"]["regimes"]
    shift = -2 * np.log10(ERROR)
    told = []
    for estimator in TOLD:
        works = [found.growth[name(r, estimator)].log10_work[-1] + shift for r in regimes]
        told.append(f"{labels[estimator]} {', '.join(power(work) for work in works)}")
    return (
        f"{found.size[-1]} customers: jumps for a relative error of {number(100 * ERROR, 'g')} %, "
        f"panel by panel:\n{'; '.join(told[:2])};\n{'; '.join(told[2:])}"
    )


def power(log10: float) -> str:
    """A number of this logarithm to two digits, however large."""
    if np.isposinf(log10):
        return "∞"
    if log10 < 4:
        return number(10**log10, ".2g") if log10 < 2 else number(round(10**log10, -1), ".0f")
    exponent = int(np.floor(log10))
    text = number(10.0 ** (log10 - exponent), ".1f")
    if text == "10.0":
        text, exponent = "1.0", exponent + 1
    superscript = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{text}×10{superscript}"
