"""Gradients per second of ascents and chains on a batch, and of the sheet's loop on one image.

    python benchmarks/inpainting.py

An image-step is one step of one image: the gradient of log p at its pixels. The sheet's loop takes
one image at a time and also accumulates the gradients of all weights, which it never uses. Chains
are the posterior stage's, one of each image: trajectories of five steps, in the precision that
the stage would choose. The limit is the rate of matrix products of the same sizes in the same
precision. Printed as Markdown, ± one standard error over turns.
"""

import time
from collections.abc import Callable

import click
import numpy as np
import torch
from torch import Tensor

from clock import PAPER, wait_for
from nicelab.flows.families.nice import NICE
from nicelab.formatting import estimate
from nicelab.images.shapes import PIXELS
from nicelab.inpainting.ascent import Climb
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.density import score
from nicelab.inpainting.hmc import Hmc
from nicelab.inpainting.rules import DecayingAdam
from nicelab.machine.device import device_option
from nicelab.machine.precision import Precision, resolve
from nicelab.statistics import mean
from nicelab.streams import generator

LEAPFROG = 5  # steps of a trajectory


def sheets_loop(model: NICE, image: Tensor, hidden: Tensor, steps: int) -> None:
    """The sheet's script: one image, weights that want gradients, a buffer never set to zero."""
    x = image.clone().requires_grad_(True)
    for _ in range(steps):
        (-model.log_prob(x)).sum().backward()
        with torch.no_grad():
            stepped = (x - 1e-3 * x.grad).clamp(0, 1)
            x.copy_(torch.where(hidden, stepped, image))


def ours(model: NICE, corrupted: Corrupted, steps: int) -> None:
    """The stage's ascent of all images behind all masks, none of which stops."""
    rule, scale = DecayingAdam(0.15, steps), torch.ones(PIXELS, device=corrupted.observed.device)
    climb = Climb(model.log_prob, scale)
    for _ in climb.ascend(corrupted, corrupted.fill(0.5), rule, steps):
        pass


def chains(model: NICE, corrupted: Corrupted, precision: Precision, trajectories: int) -> None:
    """The stage's chains, one of each image, with a mass that is the same for all pixels."""
    start, random = corrupted.fill(0.5), generator(0, device=corrupted.observed.device)
    hmc = Hmc(LEAPFROG, warm_up=0, draws=trajectories, step_size=0.3)
    factor = 1e-3 * torch.diag_embed(corrupted.hidden[:, 0].to(start.dtype))
    for _ in hmc.chains(model.log_prob, score(model.log_prob, precision), start, factor, random):
        pass


def products(rows: int, precision: Precision, device: torch.device) -> Callable[[], None]:
    """The matrix products of one gradient of so many images, and nothing else."""
    where = {"dtype": getattr(torch, precision), "device": device}
    widths = [PIXELS // 2, *[PAPER.hidden] * PAPER.depth, PIXELS // 2]
    pairs = list(zip(widths[:-1], widths[1:], strict=True))
    inputs = {n: torch.randn(rows, n, **where) for n in set(widths)}
    weights = [torch.randn(n, m, **where) for n, m in pairs]

    def run() -> None:
        for _ in range(PAPER.couplings):
            for (n, m), weight in zip(pairs, weights, strict=True):
                torch.mm(inputs[n], weight)
                torch.mm(inputs[m], weight.mT)

    return run


@click.command()
@click.option("--images", type=click.IntRange(1), default=100, show_default=True)
@click.option("--masks", type=click.IntRange(1), default=12, show_default=True)
@click.option("--turns", type=click.IntRange(2), default=8, show_default=True)
@click.option("--steps", type=click.IntRange(1), default=5, show_default=True)
@device_option
def main(images: int, masks: int, turns: int, steps: int, device: torch.device) -> None:
    """Time an ascent and chains of all images behind all masks beside the sheet's loop."""
    torch.manual_seed(0)
    model = NICE(PIXELS, PAPER).to(device)
    frozen = NICE(PIXELS, PAPER).to(device).requires_grad_(False)
    hidden = torch.rand(masks, PIXELS, device=device) < 0.5
    corrupted = Corrupted.hide(torch.rand(images, PIXELS, device=device), hidden)
    chosen, rows = resolve("auto", device), images * masks
    contestants = {
        "sheet": (lambda: sheets_loop(model, corrupted.observed[0, :1], hidden[:1], 10), 10),
        "ascent": (lambda: ours(frozen, corrupted, steps), rows * (steps + 1)),
        "chains": (
            lambda: chains(frozen, corrupted, chosen, steps),
            rows * (LEAPFROG * steps + 1),
        ),
        "float32": (products(rows, "float32", device), rows),
        chosen: (products(rows, chosen, device), rows),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(turns + 1):
        for name, (run, count) in contestants.items():
            start = time.perf_counter()
            run()
            wait_for(device)
            if turn:  # the first warms up
                rates[name].append(count / (time.perf_counter() - start))
    found = {name: np.array(values) for name, values in rates.items()}

    def text(values: np.ndarray) -> str:
        return estimate(mean(values))

    click.echo(f"{images} images, {masks} masks, {device}, {torch.get_num_threads()} threads\n")
    click.echo("| code | image-steps/s | times the sheet's | share of the limit |")
    click.echo("| --- | --- | --- | --- |")
    for name, label, limit in (
        ("sheet", "the sheet's loop", "float32"),
        ("ascent", "nicelab, ascent, float32", "float32"),
        ("chains", f"nicelab, chains, {chosen}", chosen),
    ):
        ratios = "1" if name == "sheet" else text(found[name] / found["sheet"])
        share = text(found[name] / found[limit])
        click.echo(f"| {label} | {text(found[name])} | {ratios} | {share} |")


if __name__ == "__main__":
    main()
