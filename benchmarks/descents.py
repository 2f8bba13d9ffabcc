"""SGD and Adam at equal seconds: what is left of the loss when each estimator has the same time.

    python benchmarks/descents.py

The stage `gradients` compares at equal evaluations of f; timings would not be the same twice. Here
a step of each is timed first, all in turn, and SGD with plain pathwise is given the study's
evaluations. The others are given what they can evaluate in its time. Printed as Markdown: seconds
of an evaluation ± one standard error over turns, and the loss above the minimum at the step size
that suits each, at equal evaluations and at equal seconds, ± one over runs.
"""

import time
from pathlib import Path

import click
import numpy as np

from nicelab.formatting import estimate
from nicelab.gradients.budget import (
    LABELS,
    OPTIMISERS,
    UNBIASED,
    Minimum,
    descents,
    reached,
    spend,
)
from nicelab.gradients.config import Gradients
from nicelab.gradients.descent import noisy_gradient
from nicelab.pipeline.options import params_option
from nicelab.pipeline.params import load
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

RUNS = [(optimiser, name) for optimiser in OPTIMISERS for name in UNBIASED]
UNIT = "sgd", "pathwise"


def seconds(config: Gradients, optimiser: str, name: str, steps: int) -> float:
    """Of an evaluation, in as many runs at once as the study makes."""
    rates: list[float] = getattr(config.budget.learning_rates, optimiser)
    starts = config.start.tensor().expand(len(rates), config.budget.seeds, 2)
    gradient = noisy_gradient(name, config.batch, generator(0))
    start = time.perf_counter()
    descents(OPTIMISERS[optimiser], gradient, starts, rates, np.array([steps]))
    return (time.perf_counter() - start) / (steps * UNBIASED[name].evaluations(config.batch))


def left(config: Gradients, run: tuple[str, str], home: Minimum, times: float) -> Estimate:
    """Loss above the minimum when an evaluation takes so many times as long as the unit's."""
    evaluations = max(1, round(config.budget.evaluations / times))
    budget = config.budget.model_copy(update={"evaluations": evaluations})
    _, told = spend(*run, config.model_copy(update={"budget": budget}), home)
    return told["excess_loss"]


@click.command()
@click.option("--turns", type=click.IntRange(2), default=5, show_default=True)
@click.option("--steps", default=100, show_default=True, help="Steps that are timed.")
@params_option
def main(turns: int, steps: int, params: Path) -> None:
    """Every unbiased estimator under SGD and Adam, at equal evaluations and at equal seconds."""
    config = load(params, "gradients", Gradients)
    home = reached(config, "cpu")
    taken = {run: np.empty(turns) for run in RUNS}
    for turn in range(-1, turns):  # the first warms up, and is written over by the last
        for run in RUNS:
            taken[run][turn] = seconds(config, *run, steps)
    click.echo(
        f"{config.budget.evaluations} evaluations of {' with '.join(UNIT)}\n\n"
        "| optimiser | estimator | seconds of an evaluation, in the unit "
        "| loss left, 10⁻⁵, at equal evaluations | at equal seconds |\n"
        "| --- | --- | --- | --- | --- |"
    )
    for run in RUNS:
        times = taken[run] / taken[UNIT]
        found = [left(config, run, home, x).scaled(1e5) for x in (1, times.mean())]
        cost = "1" if run == UNIT else estimate(mean(times))
        cells = LABELS[run[0]], run[1], cost, *map(estimate, found)
        click.echo(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
