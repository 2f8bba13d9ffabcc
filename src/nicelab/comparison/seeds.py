"""The spread of a metric over trainings, where a model was trained anew.

A standard error over images is that of one model. Another training, be it by another seed alone,
is another model, which differs from it by more.
"""

import math
from fnmatch import fnmatchcase
from typing import Any

from nicelab.comparison.directions import rounding
from nicelab.comparison.readings import Readings
from nicelab.comparison.revisions import Revision
from nicelab.likelihood.replicates import PARTS

# By the metric that tells which model it was: all that depend on it.
MODELS = {
    "training.model_md5": (
        "training.*",
        "likelihood.*",
        "diagnostics.*",
        "samples.*",
        "inpainting.*",
    ),
    "classifier.model_md5": ("classifier.*", "inpainting.*accuracy"),
}


HEADLINE = "likelihood.nice.{}_log_likelihood"  # a mean over trainings, where there are some


def seeds_deviation(revision: Revision, metric: str) -> float | None:
    """Standard deviation of a metric over trainings that differ in their seeds alone.

    0 for a headline that is a mean over trainings, whose own error is that over seeds. None where
    the revision does not know it, or knows it of other images. Its replicates hold it at the
    metric's own path, as in `{"training": {"loss": {"standard_deviation": 0.2}}}`.
    """
    if metric.startswith("likelihood.over_seeds."):
        return 0.0
    found: Any = revision.replicates
    if found.get("images_md5") != revision.results.get("training.images_md5"):
        return None
    for part in PARTS:
        if metric == HEADLINE.format(part):
            if f"likelihood.over_seeds.{part}.log_likelihood" in revision.results:
                return 0.0
            metric = f"likelihood.{part}.log_likelihood"
    for part in (*metric.split("."), "standard_deviation"):
        found = found.get(part) if isinstance(found, dict) else None
    return float(found) if isinstance(found, int | float) else None


def trained_anew(before: Readings, after: Readings) -> tuple[str, ...]:
    """Patterns of the metrics whose model is another one in either run, by its results."""
    return tuple(
        pattern
        for model, patterns in MODELS.items()
        if before.get(model) != after.get(model)
        for pattern in patterns
    )


def depends_on(metric: str, patterns: tuple[str, ...]) -> bool:
    """Whether a metric is one of these."""
    return any(fnmatchcase(metric, pattern) for pattern in patterns)


class SpreadOverTrainings:
    """Standard deviation of a metric's difference that another training makes."""

    def __init__(self, before: Revision, after: Revision) -> None:
        self.revisions = before, after
        self.anew = trained_anew(before.results, after.results)

    def __call__(self, metric: str) -> float | None:
        """0 if the model is the same, None if it is another and nobody knows how far they spread.

        Where one revision alone knows its spread, the other is taken to have the same. Errors of a
        computation have none: in every model they are rounding or they are not.
        """
        if not depends_on(metric, self.anew) or math.isfinite(rounding(metric)):
            return 0.0
        known = [seeds_deviation(revision, metric) for revision in self.revisions]
        known = [x for x in known if x is not None]
        return math.hypot(known[0], known[-1]) if known else None
