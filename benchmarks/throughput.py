"""One training step of NICE, against other code bases and against the matrix-multiply rate.

    make benchmark

The flows take turns, and the rate of multiplication is measured in each turn, so that a machine
whose speed drifts is the same for all. Printed as Markdown, ± one standard error over turns.
"""

import time
from collections.abc import Callable

import click
import numpy as np
import torch
from torch import Tensor

from clock import WARM_UP, Clock, recipe, wait_for
from flows import ARCHITECTURE, HIDDEN, PEERS, WIDTH, ours, require_the_same
from nicelab.flows.families.nice import NICE
from nicelab.formatting import estimate
from nicelab.images.levels import dequantise
from nicelab.likelihood.training import Run
from nicelab.machine.device import device_option
from nicelab.statistics import mean
from nicelab.streams import generator


def our_step(pixels: Tensor, batch: int, precision: str) -> float:
    """Seconds of a step of `nicelab.likelihood.training.Run`, as the train stage calls it."""
    config = recipe(batch, precision)
    clock = Clock()
    Run(config, clock).train(NICE(WIDTH, ARCHITECTURE).to(pixels.device), pixels, pixels[:2])
    return clock.seconds()


def peer_step(make: Callable, pixels: Tensor, batch: int) -> float:
    """Seconds of a step with a peer's flow and Adam, in float32, as one would write it."""
    flow, clock = make().to(pixels.device), Clock()
    noise = generator(0, device=pixels.device)
    optimiser = torch.optim.Adam(flow.parameters(), lr=1e-3)
    for part in pixels.split(batch):
        loss = -flow.log_prob(dequantise(part, noise)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        clock.step(batch, loss)
    return clock.seconds()


def multiply_rate(rows: int, precision: str, device: torch.device, times: int = 60) -> float:
    """Multiplications and additions per second in products of the hidden layers' shape."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = (torch.randn(n, HIDDEN).to(device, dtype) for n in (rows, HIDDEN))
    for _ in range(10):
        a @ b
    wait_for(device)
    start = time.perf_counter()
    for _ in range(times):
        a @ b
    wait_for(device)
    return times * 2 * rows * HIDDEN**2 / (time.perf_counter() - start)


@click.command()
@click.option("--batch", default=256, show_default=True)
@click.option("--steps", default=25, show_default=True, help="Timed steps in a turn.")
@click.option("--turns", default=5, show_default=True)
@click.option(
    "--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True
)
@device_option
def main(batch: int, steps: int, turns: int, precision: str, device: torch.device) -> None:
    """Images per second of each code base; ours as a share of the multiplications' limit."""
    reference = ours()
    weights = sum(w.numel() for w in reference.parameters()) - WIDTH
    for make in PEERS.values():
        require_the_same(make(), reference)
    levels = torch.randint(0, 256, (batch * (steps + WARM_UP), WIDTH), generator=generator(0))
    pixels = levels.to(device, torch.uint8)
    speeds: dict[str, list[float]] = {name: [] for name in ("nicelab", *PEERS)}
    shares = []
    for _ in range(turns):
        before = multiply_rate(batch, precision, device)
        speeds["nicelab"].append(batch / our_step(pixels, batch, precision))
        rate = (before + multiply_rate(batch, precision, device)) / 2
        shares.append(speeds["nicelab"][-1] * 6 * weights / rate)
        for name, make in PEERS.items():
            speeds[name].append(batch / peer_step(make, pixels, batch))
    threads = torch.get_num_threads()
    click.echo(f"Batch {batch}, {device.type}, {threads} threads, torch {torch.__version__}\n")
    click.echo("| code | images/s | nicelab is faster by |\n| --- | --- | --- |")
    for name, values in speeds.items():
        ratio = mean(np.array(speeds["nicelab"]) / values)
        cells = [name, _text(mean(values)), "–" if name == "nicelab" else _text(ratio)]
        click.echo(f"| {' | '.join(cells)} |")
    click.echo(
        f"\nnicelab ({precision}): {_text(mean(shares))} of the rate of products of "
        f"{batch} × {HIDDEN} by {HIDDEN} × {HIDDEN} in the same precision."
    )


def _text(item: object) -> str:
    return estimate(vars(item))


if __name__ == "__main__":
    main()
