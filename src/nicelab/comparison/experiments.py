"""Experiments side by side: what each changed, and what came of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text
from scipy.stats import t as student_t

from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.comparison.tables import shown
from nicelab.comparison.verdicts import flatten
from nicelab.errors import InputError
from nicelab.statistics import Estimate, mean


@dataclass(frozen=True)
class Experiment:
    """One run: its name, all its parameters and metrics."""

    name: str
    params: dict[str, Any]
    metrics: dict[str, Estimate | str]


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
    return Experiment(revision.name, revision.params, flatten(revision.metrics))


def over_seeds(runs: list[Experiment]) -> list[Experiment]:
    """One for each recipe: the mean of the runs that differ in their seeds alone.

    Errors are over runs, not over the images of one; a recipe with one seed has none. Runs with
    the same seeds are the same run.

    Raises:
        InputError: no recipe has two seeds.
    """
    recipes: dict[str, dict[str, Experiment]] = {}
    for run in runs:
        seeds = {name: x for name, x in run.params.items() if name.endswith(".seed")}
        recipe = {name: x for name, x in run.params.items() if name not in seeds}
        recipes.setdefault(repr(recipe), {}).setdefault(repr(seeds), run)
    if all(len(alike) < 2 for alike in recipes.values()):
        raise InputError(
            "no two experiments differ in their seeds alone: queue some, "
            "`dvc exp run --queue -S train.seed=1,2,3`"
        )
    return [_averaged(list(alike.values())) for alike in recipes.values()]


def _averaged(alike: list[Experiment]) -> Experiment:
    first, others = alike[0], len(alike) - 1
    name = f"{first.name} and {others} other seed{'s' * (others > 1)}" if others else first.name
    metrics = {}
    for metric in first.metrics:
        readings = [run.metrics.get(metric) for run in alike]
        values = [reading.value for reading in readings if isinstance(reading, Estimate)]
        if len(values) == len(alike):
            metrics[metric] = mean(values) if others else Estimate.exact(values[0])
    params = {x: value for x, value in first.params.items() if not x.endswith(".seed")}
    return Experiment(name, params, metrics)


def varied(runs: list[Experiment]) -> list[str]:
    """Parameters that are not the same in all."""
    names = {name: None for run in runs for name in run.params}
    return [name for name in names if len({repr(run.params.get(name)) for run in runs}) > 1]


def table(runs: list[Experiment], metrics: tuple[str, ...]) -> Table:
    """A row for each run.

    Raises:
        InputError: no run has such a metric.
    """
    params = varied(runs)
    for name in metrics:
        if not any(name in run.metrics for run in runs):
            raise InputError(f"no experiment has a metric {name}: see `nicelab compare --all`")
    found = Table()
    for heading in ("experiment", *params, *metrics):
        found.add_column(heading, overflow="fold")
    for run in runs:
        values = [str(run.params.get(name, "–")) for name in params]
        numbers = [shown(run.metrics.get(name)) for name in metrics]
        found.add_row(*map(Text, (run.name, *values, *numbers)))
    return found


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
    return values, student_t.ppf(0.975, np.maximum(n - 1, 1)) * errors
