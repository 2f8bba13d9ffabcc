"""Experiments side by side: what each changed, what came of it, and whether it is noise.

The first run is the one that the others are compared to: the workspace, or its recipe.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import t as student_t
from scipy.stats import ttest_ind_from_stats

from nicelab.comparison.difference import SEED, is_stale
from nicelab.comparison.readings import Readings
from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.comparison.seeds import depends_on, trained_anew
from nicelab.comparison.verdicts import Row, Verdict, another_seed, by_holm, judge
from nicelab.errors import InputError
from nicelab.statistics import Estimate, difference, mean

STALE = "stale"  # instead of a number that is older than its run
ONE_SEED = "one seed is no recipe"
USUAL = re.compile(r"likelihood\.\w+\.test\.(log_likelihood|bits_per_dim)")


@dataclass(frozen=True)
class Experiment:
    """One run, or a recipe with several seeds.

    Args:
        name: of the run, or of the recipe's first.
        params: all its parameters; of a recipe all but its seeds.
        metrics: headlines and results.
        seeds: how many runs its metrics are means over; None of a single run.
    """

    name: str
    params: dict[str, Any]
    metrics: Readings
    seeds: int | None = None


def read_experiments() -> list[Experiment]:
    """Those that were made from the current commit, and the workspace before them.

    Raises:
        InputError: there are none.
    """
    with Revision(WORKSPACE) as workspace:
        found = workspace.repo.experiments.ls()
        runs = [_read(workspace)]
    names = sorted(name for entries in found.values() for name, _ in entries)
    if not names:
        raise InputError("no experiments from this commit: start some with `dvc exp run`")
    for name in names:
        with Revision(name) as revision:
            runs.append(_read(revision))
    return runs


def _read(revision: Revision) -> Experiment:
    """What was not computed again since the run's own code or parameters changed is stale."""
    found = {}
    for readings, everything in ((revision.results, True), (revision.headlines, False)):
        sources = {_source(name) for name in readings}
        old = {source for source in sources if is_stale(revision, source, everything)}
        found |= {name: STALE if _source(name) in old else x for name, x in readings.items()}
    return Experiment(revision.name, revision.params, found)


def _source(metric: str) -> str:
    """What of a metric's name tells where it comes from: the study and perhaps the family."""
    return ".".join(metric.split(".")[:2])


def usual(runs: Sequence[Experiment]) -> tuple[str, ...]:
    """The likelihoods of test images under every flow, by which recipes are compared.

    Raises:
        InputError: the first run has none.
    """
    found = tuple(name for name in runs[0].metrics if USUAL.fullmatch(name))
    if not found:
        raise InputError("the workspace has no likelihoods of test images: name a --metric")
    return found


def over_seeds(runs: list[Experiment]) -> list[Experiment]:
    """One for each recipe: the mean of the runs that differ in their seeds alone.

    Errors are over runs, not over the images of one; a recipe with one seed has none. Runs with
    the same seeds are the same run.

    Raises:
        InputError: no recipe has two seeds.
    """
    recipes: dict[str, dict[str, Experiment]] = {}
    for run in runs:
        seeds = {name: x for name, x in run.params.items() if name.endswith(SEED)}
        recipe = {name: x for name, x in run.params.items() if name not in seeds}
        recipes.setdefault(repr(recipe), {}).setdefault(repr(seeds), run)
    if all(len(alike) < 2 for alike in recipes.values()):
        raise InputError(
            "no two experiments differ in their seeds alone: queue some, "
            "`dvc exp run --queue -S train.nice.seed=1,2,3`"
        )
    return [_averaged(list(alike.values())) for alike in recipes.values()]


def _averaged(alike: list[Experiment]) -> Experiment:
    first, several = alike[0], len(alike) > 1
    metrics: Readings = {}
    for metric in first.metrics:
        readings = [run.metrics.get(metric) for run in alike]
        values = [reading.value for reading in readings if isinstance(reading, Estimate)]
        if len(values) == len(alike):
            metrics[metric] = mean(values) if several else Estimate.exact(values[0])
        elif STALE in readings:
            metrics[metric] = STALE
    params = {x: value for x, value in first.params.items() if not x.endswith(SEED)}
    return Experiment(first.name, params, metrics, len(alike))


def varied(runs: Sequence[Experiment]) -> list[str]:
    """Parameters that are not the same in all."""
    names = {name: None for run in runs for name in run.params}
    return [name for name in names if len({repr(run.params.get(name)) for run in runs}) > 1]


def labels(runs: Sequence[Experiment]) -> list[str]:
    """What a reader knows each by: the parameters that vary, and the number of seeds."""
    names = varied(runs)
    found = []
    for run in runs:
        label = ", ".join(f"{name}={run.params.get(name, '–')}" for name in names) or run.name
        many = f" ({run.seeds} seed{'s' * (run.seeds > 1)})" if run.seeds else ""
        found.append(label + many)
    return found


def against_the_first(runs: Sequence[Experiment], metrics: Sequence[str]) -> list[list[Row]]:
    """For each other run a row for each metric, corrected for the number of all.

    Recipes are compared over their seeds by Welch's t-test. Single runs are compared by the errors
    of each, and not at all where they come from different trainings.

    Raises:
        InputError: no run has such a metric.
    """
    for name in metrics:
        if not any(name in run.metrics for run in runs):
            raise InputError(
                f"no experiment has a metric {name}: see `nicelab compare --all --json`"
            )
    first, *others = runs
    rows = by_holm([_compared(first, run, name) for run in others for name in metrics])
    if first.seeds is None:
        rows = [
            another_seed(row) if _same_recipe(first, run) else row
            for row, run in zip(rows, (run for run in others for _ in metrics), strict=True)
        ]
    return [rows[k : k + len(metrics)] for k in range(0, len(rows), len(metrics))]


def _same_recipe(one: Experiment, other: Experiment) -> bool:
    return all(name.endswith(SEED) for name in varied((one, other)))


def _compared(first: Experiment, run: Experiment, metric: str) -> Row:
    before, after = (x.metrics.get(metric) for x in (first, run))
    if before is None and after is None:
        return Row(metric, None, None, Verdict.SAME)
    if STALE in (before, after):
        return Row(metric, before, after, Verdict.STALE)
    if first.seeds is None or not (isinstance(before, Estimate) and isinstance(after, Estimate)):
        anew = depends_on(metric, trained_anew(first.metrics, run.metrics))
        one, two = ({} if x is None else {metric: x} for x in (before, after))
        return judge(one, two, spread=lambda name: None if anew else 0.0)[0]
    if min(before.n, after.n) < 2:
        return Row(metric, before, after, Verdict.NO_EVIDENCE, note=ONE_SEED)
    return _welch(metric, before, after)


def _welch(metric: str, before: Estimate, after: Estimate) -> Row:
    """Means over seeds by Welch's t-test; what does not depend on seeds has no error."""
    (row,) = judge({metric: before}, {metric: after})
    if row.p is None:
        return row
    parts = [(x.value, math.sqrt(x.n) * x.standard_error, x.n) for x in (after, before)]
    test = ttest_ind_from_stats(*parts[0], *parts[1], equal_var=False)
    return replace(
        row, difference=difference(after, before), z=float(test.statistic), p=float(test.pvalue)
    )


def in_order(runs: list[Experiment]) -> tuple[str | None, list[Experiment]]:
    """The parameter that alone varies, if it is a number, and the runs from its least value on.

    Without such a parameter they keep their order.
    """
    params = varied(runs)
    if len(params) != 1 or not all(_is_number(run.params.get(params[0])) for run in runs):
        return None, runs
    return params[0], sorted(runs, key=lambda run: run.params[params[0]])


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever the YAML holds
    return isinstance(value, int | float)


def intervals(runs: list[Experiment], metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of a metric and half widths of their 95 % intervals, both (runs,).

    Errors come from as few as two runs, so the intervals are Student's. NaN where a run has no
    such number.
    """
    readings = [run.metrics.get(metric) for run in runs]
    values, errors, n = (
        np.array([getattr(r, part) if isinstance(r, Estimate) else np.nan for r in readings])
        for part in ("value", "standard_error", "n")
    )
    return values, student_t.ppf(0.975, np.where(n > 0, np.maximum(n - 1, 1), np.inf)) * errors
