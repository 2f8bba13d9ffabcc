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

MODEL = "model_md5"  # ends the metric that tells which model it was
OF_FLOWS = ("training", "likelihood", "diagnostics", "samples", "inpainting")
OF_THE_FIRST = (  # headlines that name no family
    "training.best_epoch",
    "diagnostics.latents.median_distance",
    "samples.log10_round_trip_error",
    "inpainting.as_printed.*",
    "inpainting.gradient_zeroed.*",
    "inpainting.ascent.*",
)
OF_THE_JUDGE = ("classifier.*", "inpainting.*accuracy")
HEADLINE = "_log_likelihood"  # ends one that is a mean over trainings, where there are some


def seeds_deviation(revision: Revision, metric: str) -> float | None:
    """Standard deviation of a metric over trainings that differ in their seeds alone.

    0 for a headline that is a mean over trainings, whose own error is that over seeds. None where
    the revision does not know it, or knows it of other images. Its replicates of the family hold
    it at the metric's own path, as in `{"training": {"loss": {"standard_deviation": 0.2}}}`.
    """
    study, family, *path = metric.split(".")
    if path[:1] == ["over_seeds"]:
        return 0.0
    found: Any = revision.replicates.get(family, {})
    if found.get("images_md5") != revision.results.get(f"training.{family}.images_md5"):
        return None
    if study == "likelihood" and path in [[f"{part}{HEADLINE}"] for part in PARTS]:
        path = [path[0].removesuffix(HEADLINE), "log_likelihood"]
        if ".".join([study, family, "over_seeds", *path]) in revision.results:
            return 0.0
    for part in (study, *path, "standard_deviation"):
        found = found.get(part) if isinstance(found, dict) else None
    return float(found) if isinstance(found, int | float) else None


def trained_anew(before: Readings, after: Readings) -> tuple[str, ...]:
    """Patterns of the metrics whose model is another one in either run, by its results."""
    anew: list[str] = []
    for model in {**before, **after}:
        study, _, last = model.rpartition(".")
        if last != MODEL or before.get(model) == after.get(model):
            continue
        if study == "classifier":
            anew += OF_THE_JUDGE
        else:
            family = study.removeprefix("training.")
            anew += [*(f"{study}.{family}.*" for study in OF_FLOWS), *OF_THE_FIRST]
    return tuple(anew)


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
