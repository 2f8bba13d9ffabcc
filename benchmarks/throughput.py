"""One training step of NICE, against other code bases and against the matrix-multiply rate.

    make benchmark

The flows take turns, and the rates of multiplication are measured in each turn, so that a machine
whose speed drifts is the same for all. Printed as Markdown, ± one standard error over turns.

There are two such rates. One is that of a single product, repeated, whose factors stay in the
cache. The other is that of a step's own products, each of which has its own matrix to fetch: no
step that multiplies with this library can be faster.
"""

from collections.abc import Callable
from functools import partial
from typing import get_args

import click
import numpy as np
import torch
from torch import Tensor

from clock import WARM_UP, Clock, recipe, seconds_of
from flows import ARCHITECTURE, HIDDEN, PEERS, WIDTH, ours, require_the_same
from nicelab.flows.families.nice import NICE
from nicelab.formatting import estimate
from nicelab.images.levels import dequantise
from nicelab.likelihood.training import Run
from nicelab.machine.device import device_option
from nicelab.machine.precision import Choice, Precision, autocast, resolve
from nicelab.statistics import mean
from nicelab.streams import generator
from products import multiplications, one_product, steps_products

LIMITS = ("one product of {0} × {1} by {1} × {1}, repeated", "a step's own products")


def our_step(pixels: Tensor, batch: int, precision: Precision) -> float:
    """Seconds of a step of `nicelab.likelihood.training.Run`, as the train stage calls it."""
    config = recipe(batch, precision)
    clock = Clock()
    Run(config, clock).train(NICE(WIDTH, ARCHITECTURE).to(pixels.device), pixels, pixels[:2])
    return clock.seconds()


def peer_step(make: Callable, pixels: Tensor, batch: int, precision: Precision) -> float:
    """Seconds of a step with a peer's flow and Adam, as one would write it."""
    flow, clock = make().to(pixels.device), Clock()
    noise = generator(0, device=pixels.device)
    optimiser = torch.optim.Adam(flow.parameters(), lr=1e-3)
    for part in pixels.split(batch):
        with autocast(precision, pixels.device):
            loss = -flow.log_prob(dequantise(part, noise)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        clock.step(batch, loss)
    return clock.seconds()


@click.command()
@click.option("--batch", default=256, show_default=True)
@click.option("--steps", default=25, show_default=True, help="Timed steps in a turn.")
@click.option("--turns", type=click.IntRange(2), default=5, show_default=True)
@click.option(
    "--precision",
    type=click.Choice(get_args(Choice)),
    default="auto",
    show_default=True,
    help="Of nicelab's products; the others run in float32, and in this one too.",
)
@device_option
def main(batch: int, steps: int, turns: int, precision: Choice, device: torch.device) -> None:
    """Images per second of each code base; ours as a share of the multiplications' limits."""
    reference, chosen = ours(), resolve(precision, device)
    for make in PEERS.values():
        require_the_same(make(), reference)
    levels = torch.randint(0, 256, (batch * (steps + WARM_UP), WIDTH), generator=generator(0))
    pixels = levels.to(device, torch.uint8)
    us = f"nicelab, {chosen}"
    runs = {us: partial(our_step, pixels, batch, chosen)}
    for how in dict.fromkeys(("float32", chosen)):
        for name, make in PEERS.items():
            runs[f"{name}, {how}"] = partial(peer_step, make, pixels, batch, how)
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    shares: dict[str, list[float]] = {name: [] for name in LIMITS}
    work = multiplications(reference, 1)
    for _ in range(turns):
        for name, run in runs.items():
            if name == us:
                before = _rates(batch, chosen, device)
            speeds[name].append(batch / run())
            if name == us:
                pairs = zip(before, _rates(batch, chosen, device), strict=True)
                for limit, rates in zip(LIMITS, pairs, strict=True):
                    shares[limit].append(speeds[name][-1] * work * 2 / sum(rates))
    threads = torch.get_num_threads()
    click.echo(f"Batch {batch}, {device.type}, {threads} threads, torch {torch.__version__}\n")
    click.echo("| code | images/s | nicelab is faster by |\n| --- | --- | --- |")
    for name, values in speeds.items():
        ratio = "–" if name == us else estimate(mean(np.array(speeds[us]) / values))
        click.echo(f"| {name} | {estimate(mean(values))} | {ratio} |")
    click.echo()
    for limit, found in shares.items():
        click.echo(f"{us}: {estimate(mean(found))} of the rate of {limit.format(batch, HIDDEN)}.")


def _rates(batch: int, precision: Precision, device: torch.device) -> tuple[float, float]:
    """Multiplications and additions a second: in one product, and in those of a step."""
    dtype, reference = getattr(torch, precision), ours()
    repeated = one_product(batch, HIDDEN, dtype, device)
    of_a_step = steps_products(reference, batch, dtype, device)
    return (
        2 * batch * HIDDEN**2 / seconds_of(repeated, device, 60),
        multiplications(reference, batch) / seconds_of(of_a_step, device, 4),
    )


if __name__ == "__main__":
    main()
