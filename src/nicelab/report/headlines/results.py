"""The results in one list: a table for the report and the README, and metrics for commits."""

from collections.abc import Sequence
from typing import Any

from nicelab.report.contents import Results
from nicelab.report.headlines import convolution, gradients, importance, inpainting, likelihood
from nicelab.report.headlines.headline import Headline, Row
from nicelab.report.tables.table import NONE, Table

HEADINGS = Row("quantity", "published", "ours", "exact", "published agrees", "exact agrees")
MEASURED = ("quantity", "ours")
CAPTION = (
    "Published, ours, and the exact answer where there is one. In brackets the distance: "
    "published less ours, in standard errors (for the likelihood, of a difference of trainings; "
    "for the sheet’s one run of SGD, in standard deviations of such runs; for the gambler’s "
    "probability, from the range that is printed so, in standard errors of ours); ours less "
    "exact, in standard errors"
)
CAPTION_OF_MEASURED = "Ours beside nothing published, or exact themselves"


def headlines(results: Results) -> list[Headline]:
    """All of them, from the results of every study."""
    return [
        *likelihood.likelihoods(results["likelihood"]),
        *likelihood.training(results["training"]),
        *likelihood.latents(results["diagnostics"], results["samples"]),
        *inpainting.completions(results["inpainting"]),
        *inpainting.judge(results["classifier"]),
        *importance.gambler(results["importance"]),
        *gradients.estimators(results["gradients"]),
        convolution.claims(results["convolution"]),
    ]


def metrics(found: Sequence[Headline]) -> dict[str, dict[str, Any]]:
    """The content of each metrics file, by study; the dots of a name are levels."""
    files: dict[str, dict[str, Any]] = {}
    for headline in found:
        *path, last = headline.name.split(".")
        place = files
        for part in path:
            place = place.setdefault(part, {})
        place[last] = headline.metric
    return files


def tables(found: Sequence[Headline]) -> tuple[Table, Table]:
    """Results beside something published or exact, and those that stand alone."""
    rows = [headline.row for headline in found]
    compared = [row for row in rows if {row.published, row.exact} != {NONE}]
    alone = [(row.quantity, row.ours) for row in rows if {row.published, row.exact} == {NONE}]
    return Table(CAPTION, HEADINGS, compared), Table(CAPTION_OF_MEASURED, MEASURED, alone)


def markdown(found: Sequence[Headline]) -> str:
    """The results for a README."""
    return "\n\n".join(map(_markdown, tables(found)))


def _markdown(table: Table) -> str:
    lines = [table.headings, ["---"] * len(table.headings), *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
