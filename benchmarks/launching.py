"""A training step on a GPU, its kernels launched in several ways, and what bounds it.

    python benchmarks/launching.py

A step of NICE is some hundred small kernels, and launching them can take longer than they do.
Ways to launch them: one by one; merged by torch.compile; recorded once as a CUDA graph and
replayed. All do what the train stage does in a step, whose own time stands beside theirs. The
limits are the rate of one large product, and the time of a step's own products, replayed too.
Printed as Markdown, ± one standard error over turns.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import get_args

import click
import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from clock import PAPER, WARM_UP, Clock, recipe, seconds_of
from nicelab.flows.families.nice import NICE
from nicelab.formatting import estimate
from nicelab.images.levels import dequantise
from nicelab.images.shapes import PIXELS
from nicelab.likelihood.training import Run
from nicelab.machine.device import device_option
from nicelab.machine.precision import Choice, Precision, autocast, resolve
from nicelab.statistics import mean
from nicelab.streams import generator
from products import multiplications, one_product, steps_products

Step = Callable[[], object]


@dataclass(frozen=True)
class Way:
    """How the kernels of a step are launched: torch.compile's mode, if any, and as a graph."""

    mode: str | None = None
    graph: bool = False


WAYS = {
    "one by one": Way(),
    "compiled": Way("default"),
    "compiled, reduce-overhead": Way("reduce-overhead"),
    "graph": Way(graph=True),
    "compiled, graph": Way("default", graph=True),
}


def prepared(way: Way, levels: Tensor, batch: int, precision: Precision) -> Step:
    """A step that has been taken a few times, so that whatever is compiled has been."""
    device, config = levels.device, recipe(batch, precision)
    flow = NICE(PIXELS, PAPER).to(device)
    flow.initialise(levels, generator(0, device=device))
    log_prob = torch.compile(flow.log_prob, mode=way.mode) if way.mode else flow.log_prob
    optimiser = AdamW(flow.groups(config), lr=1e-3, fused=True, capturable=way.graph)
    x = dequantise(levels, generator(0, device=device))
    batches = cycle(torch.arange(len(x), device=device).split(batch))
    chosen = next(batches).clone()

    def step() -> None:
        with autocast(precision, device):
            loss = -log_prob(x[chosen]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    launch = recorded(step) if way.graph else step

    def next_step() -> None:
        chosen.copy_(next(batches))
        launch()

    for _ in range(WARM_UP):
        next_step()
    return next_step


@dataclass(frozen=True)
class Recorded:
    """The kernels of a step as a CUDA graph, and the step, whose tensors they read and write."""

    step: Step
    graph: torch.cuda.CUDAGraph

    def __call__(self) -> None:
        """Launch them all."""
        self.graph.replay()


def recorded(step: Step) -> Recorded:
    """A step that is replayed, after a few that warm up as capturing asks for."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return Recorded(step, graph)


def stages_seconds(levels: Tensor, batch: int, precision: Precision) -> float:
    """Seconds of a step of the train stage."""
    clock = Clock()
    flow = NICE(PIXELS, PAPER).to(levels.device)
    Run(recipe(batch, precision), clock).train(flow, levels, levels[:2])
    return clock.seconds()


@click.command()
@click.option("--batch", default=256, show_default=True)
@click.option("--way", "ways", multiple=True, type=click.Choice(list(WAYS)), default=list(WAYS))
@click.option("--steps", default=50, show_default=True, help="Timed steps in a turn.")
@click.option("--turns", type=click.IntRange(2), default=5, show_default=True)
@click.option("--size", default=8192, show_default=True, help="Of the large product's matrices.")
@click.option(
    "--precision", type=click.Choice(get_args(Choice)), default="auto", show_default=True
)
@device_option
def main(
    batch: int,
    ways: tuple[str, ...],
    steps: int,
    turns: int,
    size: int,
    precision: Choice,
    device: torch.device,
) -> None:
    """Milliseconds of a step by each way, beside what its matrix products alone would take."""
    torch.manual_seed(0)
    chosen = resolve(precision, device)
    levels = torch.randint(0, 256, (batch * (steps + WARM_UP), PIXELS), generator=generator(0))
    levels = levels.to(device, torch.uint8)
    model, dtype = NICE(PIXELS, PAPER), getattr(torch, chosen)
    large = one_product(size, size, dtype, device)
    products = steps_products(model, batch, dtype, device)
    runs = {"its products": recorded(products) if device.type == "cuda" else products}
    ready = {}
    for name in ways:
        start = time.perf_counter()
        runs[name] = prepared(WAYS[name], levels, batch, chosen)
        ready[name] = time.perf_counter() - start
    seconds: dict[str, list[float]] = {name: [] for name in ("large", "the train stage", *runs)}
    for _ in range(turns):
        seconds["large"].append(seconds_of(large, device, 20))
        seconds["the train stage"].append(stages_seconds(levels, batch, chosen))
        for name, run in runs.items():
            seconds[name].append(seconds_of(run, device, steps))
    report(
        {name: np.array(found) for name, found in seconds.items()},
        ready,
        (batch, size, multiplications(model, batch)),
        f"{_name(device)}, torch {torch.__version__}, {chosen}",
    )


def report(
    seconds: dict[str, np.ndarray],
    ready: dict[str, float],
    sizes: tuple[int, int, int],
    where: str,
) -> None:
    """Print the table; the sizes are the batch, the large product's, and a step's operations."""
    batch, size, work = sizes
    rates = 2 * size**3 / seconds.pop("large")
    click.echo(f"Batch {batch}, {where}; a product of {size} × {size} matrices runs at ", nl=False)
    click.echo(f"{estimate(mean(rates / 1e12))} TFLOP/s\n")
    click.echo("| step | ready after | ms | images/s | share of that | of its products |")
    click.echo("| --- | --- | --- | --- | --- | --- |")
    for name, found in seconds.items():
        after = f"{ready[name]:.1f} s" if name in ready else "–"
        cells = (1e3 * found, batch / found, work / found / rates, seconds["its products"] / found)
        click.echo(f"| {name} | {after} | " + " | ".join(estimate(mean(c)) for c in cells) + " |")


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


if __name__ == "__main__":
    main()
