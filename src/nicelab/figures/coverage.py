"""Coverage of the intervals against q, and when the paths that hit do so."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.importance.records import RareEvent
from nicelab.pipeline.metrics import Metrics

LOOKS = {"normal": (style.BLUE, "o"), "log_normal": (style.ORANGE, "D")}
NOMINAL = 0.95


def draw(found: RareEvent, metrics: Metrics) -> Figure:
    """Coverage of 95 % intervals for every constant proposal; the hitting time given a hit."""
    figure = style.new(_finding(found, metrics), height=3.9)
    left, right = figure.subplots(1, 2)
    _coverage(left, found, metrics)
    _hitting_time(right, found)
    return figure


def _finding(found: RareEvent, metrics: Metrics) -> str:
    """Coverage at the sheet's q, and where it is least."""
    sheet, shares = metrics["methods"]["sheet"], found.coverage["normal"].value
    share, least = sheet["coverage"]["normal"], shares.argmin()
    return (
        f"{metrics['paths']} paths, q = {sheet['q']:g}: the normal 95 % interval covers the "
        f"answer in {100 * share.value:.1f} %\nof {share.n} replicates; the least is "
        f"{100 * shares[least]:.1f} %, at q = {found.coverage_q[least]:.3f}"
    )


def _coverage(axes: Axes, found: RareEvent, metrics: Metrics) -> None:
    labels, best = metrics["labels"], metrics["exact"]["optimal_q"].value
    for kind, (colour, marker) in LOOKS.items():
        shares, label = found.coverage[kind], labels["intervals"][kind]
        look = {"fmt": marker, "ms": 3.5, "lw": 1, "capsize": 2, "color": colour}
        axes.errorbar(found.coverage_q, shares.value, shares.margin, **look, label=label)
    axes.axhline(NOMINAL, color=style.GREY, ls=":", lw=1.2, label="nominal")
    sheet = labels["methods"]["sheet"]
    axes.axvline(metrics["methods"]["sheet"]["q"], color=style.GREY, lw=0.8, label=sheet)
    axes.axvline(best, color=style.GREEN, lw=0.8, label="best q")
    axes.set(xlabel="win probability q of the proposal", ylabel="coverage", ylim=(-0.02, 1.02))
    box = {"frameon": True, "framealpha": 1, "edgecolor": "none"}
    axes.legend(loc="lower center", bbox_to_anchor=(0.42, 0.05), **box)


def _hitting_time(axes: Axes, found: RareEvent) -> None:
    law = found.hitting_time
    axes.fill_between(law.t, law.probability, color=style.SKY, lw=0)
    axes.axvline(law.mean, color=style.BLUE, lw=1.2)
    axes.set(xlabel="play at which the target is reached", ylabel="probability, given a hit")
    axes.set_ylim(0, None)
    title = f"exact; mean {law.mean:.1f}, standard deviation {law.deviation:.1f}"
    axes.set_title(title, fontsize=9)
