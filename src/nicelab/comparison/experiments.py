"""Experiments side by side: what each changed, and what came of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table
from rich.text import Text

from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.comparison.verdicts import flatten
from nicelab.errors import InputError
from nicelab.figures import style
from nicelab.formatting import estimate
from nicelab.statistics import Estimate


@dataclass(frozen=True)
class Experiment:
    """One run: its name, all its parameters and metrics."""

    name: str
    params: dict[str, Any]
    metrics: dict[str, Estimate | str]


def experiments() -> list[Experiment]:
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
    found = Table("experiment", *params, *metrics)
    for run in runs:
        values = [str(run.params.get(name, "–")) for name in params]
        numbers = [_shown(run.metrics.get(name)) for name in metrics]
        found.add_row(*map(Text, (run.name, *values, *numbers)))
    return found


def plot(runs: list[Experiment], metrics: tuple[str, ...]) -> Figure:
    """Each metric with its 95 % interval, against the parameter that varies or by run."""
    params = varied(runs)
    numeric = len(params) == 1 and all(
        isinstance(run.params.get(params[0]), int | float) for run in runs
    )
    runs = sorted(runs, key=lambda run: run.params[params[0]]) if numeric else runs
    x = [run.params[params[0]] for run in runs] if numeric else np.arange(len(runs))
    figure = style.new(f"{len(runs)} runs side by side", height=2.6 * len(metrics) + 0.6)
    grid = figure.subplots(len(metrics), 1, squeeze=False, sharex=True)[:, 0]
    for axes, name in zip(grid, metrics, strict=True):
        readings = [run.metrics.get(name) for run in runs]
        values, errors = (
            [getattr(r, part) if isinstance(r, Estimate) else np.nan for r in readings]
            for part in ("value", "standard_error")
        )
        axes.errorbar(x, values, 1.96 * np.array(errors), fmt="o", capsize=3, color=style.BLUE)
        axes.set_title(f"{name}, 95 % interval")
    if numeric:
        grid[-1].set_xlabel(params[0])
        if min(x) > 0 and max(x) > 20 * min(x):
            grid[-1].set_xscale("log")
    else:
        grid[-1].set_xticks(x, [run.name for run in runs], rotation=30, ha="right")
    return figure


def _shown(reading: Estimate | str | None) -> str:
    if reading is None:
        return "–"
    return reading if isinstance(reading, str) else estimate(vars(reading))
