"""What the determinant of a 1×1 convolution costs: Σ log|s| against `slogdet` (problem 4a).

    python benchmarks/determinant.py --picture docs/determinant.png

On one thread, in turns, times both for a batch of matrices A = P L (U + diag s) of C = 2 to 1024
channels, and fits the exponent of the time to the larger half of the sizes. An exponent's error is
over turns.
"""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from clock import seconds_of
from nicelab.figures import style
from nicelab.flows.families.glow.convolution import assemble, log_abs_det
from nicelab.formatting import estimate, number
from nicelab.machine.device import device_option
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

SIZES = [2**k for k in range(1, 11)]
FITTED = slice(len(SIZES) // 2, None)
LABELS = {"formula": "Σ log|s|", "slogdet": "slogdet of A"}
LOOKS = {"formula": (style.BLUE, "o"), "slogdet": (style.ORANGE, "s")}
LEAST = 0.02  # seconds that a time is taken over


@click.command()
@click.option("--batch", default=16, show_default=True, help="Matrices at once.")
@click.option("--turns", type=click.IntRange(2), default=7, show_default=True)
@click.option("--picture", type=click.Path(path_type=Path), help="A PNG to draw.")
@device_option
def main(batch: int, turns: int, picture: Path | None, device: torch.device) -> None:
    """Time both ways to the determinant."""
    torch.set_num_threads(1)
    seconds = {name: np.empty((turns, len(SIZES))) for name in LABELS}
    for turn in range(turns):
        for k, size in enumerate(SIZES):
            for name, work in _ways(batch, size, device).items():
                seconds[name][turn, k] = _time(work, device)
    exponents = {name: _exponent(times) for name, times in seconds.items()}
    click.echo(f"Batch {batch}, {device.type}, 1 thread\n")
    click.echo("| C | Σ log\\|s\\| (µs) | slogdet (µs) | times |\n| --- | --- | --- | --- |")
    for k, size in enumerate(SIZES):
        one, other = (mean(1e6 * seconds[name][:, k]) for name in LABELS)
        ratio = mean(seconds["slogdet"][:, k] / seconds["formula"][:, k])
        click.echo(f"| {size} | {estimate(one)} | {estimate(other)} | {estimate(ratio)} |")
    for name, exponent in exponents.items():
        click.echo(
            f"\n{LABELS[name]}: C to the power of {estimate(exponent)} from C = {SIZES[FITTED][0]}"
        )
    if picture:
        style.save([_draw(seconds, exponents)], picture)


def _ways(batch: int, size: int, device: torch.device) -> dict[str, Callable[[], object]]:
    random = generator(0, "determinant", size, device=device)

    def normal(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=random, device=device)

    s = normal(size)
    A = assemble(torch.eye(size, device=device), normal(size, size), normal(size, size), s)
    return {"formula": lambda: log_abs_det(s), "slogdet": lambda: torch.linalg.slogdet(A)}


def _time(work: Callable[[], object], device: torch.device) -> float:
    """Of one call, over enough of them to be seen."""
    times = max(1, round(LEAST / seconds_of(work, device, 1)))
    return seconds_of(work, device, times)


def _exponent(seconds: np.ndarray) -> Estimate:
    """Slope of log time on log C, over turns of shape (turns, sizes)."""
    logs = np.log(SIZES[FITTED])
    return mean(np.polyfit(logs, np.log(seconds[:, FITTED]).T, 1)[0])


def _draw(seconds: dict[str, np.ndarray], exponents: dict[str, Estimate]) -> Figure:
    ratio = (seconds["slogdet"][:, -1] / seconds["formula"][:, -1]).mean()
    figure = style.new(
        f"At {SIZES[-1]} channels slogdet takes {number(ratio, '.1e')} times as long as Σ log|s|",
        height=3.6,
    )
    axes = figure.subplots()
    for name, times in seconds.items():
        colour, marker = LOOKS[name]
        label = f"{LABELS[name]}: C to the power of {estimate(exponents[name])}"
        error = times.std(0, ddof=1) / len(times) ** 0.5
        axes.errorbar(
            SIZES, times.mean(0), 1.96 * error, fmt=f"{marker}-", color=colour, ms=4, label=label
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.set(xlabel="channels C", ylabel="seconds for a batch (95 % bars)")
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
