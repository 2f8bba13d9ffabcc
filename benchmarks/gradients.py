"""Gradients per second: ours, the sheet's loop, and autograd through torch.distributions.

    python benchmarks/gradients.py

A gradient is that of one sample. The sheet's loop makes one SGD run, a batch of 16 at a time; the
others make many runs at once. The second table holds the study's estimators against pathwise:
evaluations times its last column are seconds, in those of an evaluation of pathwise. Printed as
Markdown, ± one standard error over turns.
"""

import time
from collections.abc import Callable

import click
import numpy as np
import torch

from nicelab.formatting import estimate
from nicelab.gradients import objective
from nicelab.gradients.descent import descend, noisy_gradient
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.statistics import mean
from nicelab.streams import generator

BATCH, RATE = 16, 1e-3

Run = Callable[[int, int], None]  # steps, seeds


def sheets_score(steps: int, seeds: int) -> None:
    """The sheet's loop with the score function, its fault mended."""
    mu, tau = torch.zeros(1), torch.zeros(1)
    for _ in range(steps):
        sigma = torch.exp(tau)
        x = mu + sigma * torch.randn(BATCH)
        f = x * torch.sin(x)
        by_mu = torch.mean(f * (x - mu) / sigma**2) + (mu - 1)
        by_tau = torch.mean(f * ((x - mu) ** 2 / sigma**2 - 1)) + sigma - 1
        mu, tau = mu - RATE * by_mu, tau - RATE * by_tau


def sheets_pathwise(steps: int, seeds: int) -> None:
    """The sheet's loop with the reparameterisation, its fault mended."""
    mu, tau = torch.zeros(1), torch.zeros(1)
    for _ in range(steps):
        sigma, y = torch.exp(tau), torch.randn(BATCH)
        x = mu + sigma * y
        derivative = torch.sin(x) + x * torch.cos(x)
        by_mu = torch.mean(derivative) + (mu - 1)
        by_tau = torch.mean(derivative * sigma * y) + sigma - 1
        mu, tau = mu - RATE * by_mu, tau - RATE * by_tau


def with_autograd(reparameterised: bool) -> Run:
    """SGD of many seeds with torch.distributions, in float64: rsample, or log_prob's surrogate."""

    def run(steps: int, seeds: int) -> None:
        point = torch.zeros(seeds, 2, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.SGD([point], lr=RATE)
        for _ in range(steps):
            mu, tau = point.unbind(-1)
            normal = torch.distributions.Normal(mu, tau.exp())
            if reparameterised:
                expectation = objective.f(normal.rsample((BATCH,))).mean(0)
            else:
                x = normal.sample((BATCH,))
                expectation = (objective.f(x) * normal.log_prob(x)).mean(0)
            loss = expectation + (mu - 1) ** 2 / 2 + tau.exp() - tau
            optimiser.zero_grad()
            loss.sum().backward()
            optimiser.step()

    return run


def ours(name: str) -> Run:
    """SGD of many seeds with the named estimator."""

    def run(steps: int, seeds: int) -> None:
        start = torch.zeros(seeds, 2, dtype=torch.float64)
        descend(noisy_gradient(name, BATCH, generator(0)), start, RATE, steps)

    return run


def rate(run: Run, steps: int, seeds: int) -> float:
    """Gradients per second."""
    run(5, seeds)
    start = time.perf_counter()
    run(steps, seeds)
    return steps * seeds * BATCH / (time.perf_counter() - start)


def random_rate(steps: int, seeds: int) -> float:
    """Standard normal numbers per second in the same shape: the limit."""
    random, shape = generator(0), (seeds, BATCH)
    start = time.perf_counter()
    for _ in range(steps):
        torch.randn(shape, generator=random, dtype=torch.float64)
    return steps * seeds * BATCH / (time.perf_counter() - start)


@click.command()
@click.option("--seeds", default=400, show_default=True)
@click.option("--steps", default=500, show_default=True)
@click.option("--turns", type=click.IntRange(2), default=5, show_default=True)
def main(seeds: int, steps: int, turns: int) -> None:
    """Gradients per second of each, and as a multiple of the sheet's loop."""
    others: dict[str, Run] = {
        "the sheet's loop, score function": sheets_score,
        "the sheet's loop, pathwise": sheets_pathwise,
        "autograd, log_prob": with_autograd(False),
        "autograd, rsample": with_autograd(True),
    }
    runs = others | {f"nicelab, {name}": ours(name) for name in ESTIMATORS}
    rates, limits = measure(runs, steps, seeds, turns)
    click.echo(f"{seeds} seeds, {steps} steps, batch {BATCH}, {torch.get_num_threads()} threads\n")
    base = rates["the sheet's loop, score function"]
    columns = "code", "10⁶ gradients/s", "times the sheet's", "share of the random-number rate"
    show(columns, {name: (x / 1e6, x / base, x / limits) for name, x in rates.items()})
    click.echo()
    of = {name: rates[f"nicelab, {name}"] for name in ESTIMATORS}
    show(
        ("estimator", "gradients, times pathwise's", "seconds an evaluation, times pathwise's"),
        {name: (x / of["pathwise"], seconds_an_evaluation(name, of)) for name, x in of.items()},
    )


def seconds_an_evaluation(name: str, rates: dict[str, np.ndarray]) -> np.ndarray:
    """Time of an evaluation as a multiple of pathwise's, from gradients per second, (turns,)."""
    taken = {key: ESTIMATORS[key].evaluations(BATCH) / BATCH for key in (name, "pathwise")}
    seconds = {key: 1 / (rates[key] * taken[key]) for key in taken}
    return seconds[name] / seconds["pathwise"]


def show(headings: tuple[str, ...], rows: dict[str, tuple[np.ndarray, ...]]) -> None:
    """A table of means over turns; what is 1 in every turn has no error."""
    click.echo(f"| {' | '.join(headings)} |\n|{' --- |' * len(headings)}")
    for name, found in rows.items():
        cells = ("1" if (x == 1).all() else estimate(mean(x)) for x in found)
        click.echo(f"| {name} | " + " | ".join(cells) + " |")


def measure(
    runs: dict[str, Run], steps: int, seeds: int, turns: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rates of each and of random numbers, (turns,), all in turn; the sheet's have one seed."""
    alone = (sheets_score, sheets_pathwise)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    limits = []
    for _ in range(turns):
        limits.append(random_rate(steps, seeds))
        for name, run in runs.items():
            rates[name].append(rate(run, steps, 1 if run in alone else seeds))
    return {name: np.array(found) for name, found in rates.items()}, np.array(limits)


if __name__ == "__main__":
    main()
