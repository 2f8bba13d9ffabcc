"""Speed of training with several processes, and of the sum that they form after each step.

    python benchmarks/scaling.py
    torchrun --nproc-per-node 2 benchmarks/scaling.py

Each prints one line: the time of a step, and that of summing the gradient over the processes
alone. `docs/scaling.md` says what they are for.
"""

import time

import click
import torch
import torch.distributed as dist

from clock import PAPER, Clock, recipe
from nicelab.flows.families.nice import NICE
from nicelab.likelihood.training import Run
from nicelab.machine.device import device_option
from nicelab.machine.ranks import joined
from nicelab.streams import generator


@click.command()
@click.option("--batch", default=256, show_default=True, help="Images, over all processes.")
@click.option("--steps", default=30, show_default=True)
@device_option
def main(batch: int, steps: int, device: torch.device) -> None:
    """Time of a training step and of a sum of its gradients."""
    with joined(device) as (ranks, device):
        model = NICE(784, PAPER).to(device)
        levels = torch.randint(0, 256, (batch * steps, 784), generator=generator(0))
        pixels = levels.to(torch.uint8).to(device)
        config = recipe(batch)
        clock = Clock()
        Run(config, clock, ranks=ranks).train(model, pixels, pixels[:10])
        weights = sum(weight.numel() for weight in model.parameters())
        summed = _time_of_a_sum(torch.zeros(weights, device=device)) if ranks.size > 1 else 0.0
        if ranks.first:
            click.echo(
                f"{ranks.size} processes of {torch.get_num_threads()} threads on {device.type}, "
                f"batch {batch}: {1e3 * clock.seconds():.0f} ms a step "
                f"({batch / clock.seconds():.0f} images/s), "
                f"{1e3 * summed:.0f} ms a sum of {weights} gradients"
            )


def _time_of_a_sum(x: torch.Tensor, times: int = 10) -> float:
    dist.all_reduce(x)
    start = time.perf_counter()
    for _ in range(times):
        dist.all_reduce(x)
    return (time.perf_counter() - start) / times


if __name__ == "__main__":
    main()
