"""Seconds of training to given validation likelihoods: our families against the sheet's recipe.

    make tmp/peers && PYTHONPATH=tmp/peers python benchmarks/likelihood.py data/images.npz

All see the same images with the same kind of noise, and are measured after each epoch on the same
validation images; the time of measuring counts. The sheet's recipe: its own script of the flow,
scales that start at 0, PyTorch's initialisation, Adam with a rate of 1e-3, batches of 128. Each
stops where it reaches the highest goal.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import click
import torch
from torch import Tensor, nn

from flows import as_the_sheet
from nicelab.flows import registry
from nicelab.flows.names import names as families
from nicelab.formatting import estimate
from nicelab.images.levels import dequantise
from nicelab.images.records import ImageSet
from nicelab.images.shapes import Shape
from nicelab.likelihood.recipe import Training
from nicelab.likelihood.training import Run
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record
from nicelab.pipeline.options import params_option
from nicelab.pipeline.params import load
from nicelab.published import NICE_LOG_LIKELIHOOD, REIMPLEMENTATION_LOG_LIKELIHOOD
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

RECIPES = (*families(), "the sheet")
GOALS = (REIMPLEMENTATION_LOG_LIKELIHOOD, NICE_LOG_LIKELIHOOD, 2139.0, 3000.0, 3400.0, 3600.0)

Point = tuple[float, Estimate]  # seconds since the start, validation log-likelihood


class Enough(Exception):  # noqa: N818
    """The highest goal is reached, or the time is up."""


class Watch:
    """Notes the validation likelihood against time, and says when it is enough."""

    def __init__(self, limit: float, goal: float) -> None:
        self.start, self.limit, self.goal = time.perf_counter(), limit, goal
        self.points: list[Point] = []

    def resume(self, epochs: int) -> None:
        """Never happens here."""

    def step(self, images: int, log_likelihood: Tensor) -> None:
        """A step ended."""

    def epoch(self, row: dict[str, float]) -> None:
        """An epoch ended."""
        value, error = row["validation_log_likelihood"], row["validation_standard_error"]
        self.note(Estimate(value, error, 2))

    def note(self, nats: Estimate) -> None:
        """A measurement was made."""
        seconds = time.perf_counter() - self.start
        self.points.append((seconds, nats))
        click.echo(f"{seconds:6.1f} s: {estimate(nats)} nats", err=True)
        if nats.value >= self.goal or seconds > self.limit:
            raise Enough


def ours(
    family: str, shape: Shape, pixels: Tensor, validation: Tensor, params: Path, watch: Watch
) -> None:
    """The train stage's recipe."""
    flow = registry.build(registry.architecture(params, family), shape)
    config = load(params, "train", Training, of=family)
    Run(config, watch).train(flow.to(pixels.device), pixels, validation)


def sheets(pixels: Tensor, validation: Tensor, watch: Watch) -> None:
    """The sheet's recipe, problem 3."""
    torch.manual_seed(0)
    flow = as_the_sheet().to(pixels.device)
    optimiser = torch.optim.Adam(flow.parameters(), lr=1e-3)
    held_out = dequantise(validation, generator(0, "validation", device=pixels.device))
    for epoch in range(100):
        noise = generator(0, "noise", epoch, device=pixels.device)
        for batch in _batches(pixels, epoch):
            loss = -flow.log_prob(dequantise(batch, noise)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        watch.note(mean(_log_likelihoods(flow, held_out).cpu()))


@torch.no_grad()
def _log_likelihoods(flow: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([flow.log_prob(part) for part in x.split(1000)])


def _batches(pixels: Tensor, epoch: int) -> Iterator[Tensor]:
    order = torch.randperm(len(pixels), generator=generator(0, "order", epoch))
    for chunk in order.split(128):
        yield pixels[chunk.to(pixels.device)]


def reached(points: list[Point], goal: float) -> str:
    """When the goal was reached first."""
    return next((f"{seconds:.1f} s" for seconds, nats in points if nats.value >= goal), "–")


@click.command()
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--minutes", default=15.0, show_default=True, help="Limit for each recipe.")
@click.option("--goal", "goals", multiple=True, default=GOALS, show_default=True, help="In nats.")
@click.option("--recipe", "names", multiple=True, type=click.Choice(RECIPES), default=RECIPES)
@params_option
@device_option
def main(
    images: Path,
    minutes: float,
    goals: tuple[float, ...],
    names: tuple[str, ...],
    params: Path,
    device: torch.device,
) -> None:
    """Train with each recipe and print, as Markdown, when each goal was reached."""
    data = read_record(images, ImageSet)
    pixels, validation = (
        torch.from_numpy(data.pixels(part)).to(device) for part in ("training", "validation")
    )
    curves = {}
    for name in names:
        click.echo(name, err=True)
        watch = Watch(60 * minutes, max(goals))
        try:
            if name == "the sheet":
                sheets(pixels, validation, watch)
            else:
                ours(name, data.of_shape, pixels, validation, params, watch)
        except Enough:
            pass
        curves[name] = watch.points
    click.echo("| validation log-likelihood (nats) | " + " | ".join(curves) + " |")
    click.echo("| --- " * (len(curves) + 1) + "|")
    for goal in goals:
        click.echo(f"| {goal:g} | {' | '.join(reached(p, goal) for p in curves.values())} |")
    last = " | ".join(
        f"{estimate(points[-1][1])} after {points[-1][0]:.1f} s" for points in curves.values()
    )
    click.echo(f"| where it was stopped | {last} |")


if __name__ == "__main__":
    main()
