"""The time of a training step, with the recipe of the train stage."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from nicelab.flows.families.nice import Architecture
from nicelab.likelihood.recipe import Training
from nicelab.machine.precision import Precision

PAPER = Architecture(family="nice", couplings=4, hidden=1000, depth=5)
WARM_UP = 5  # steps before the clock starts


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work: Callable[[], object], device: torch.device, times: int) -> float:
    """Mean time of something that is repeated, after some repetitions more."""
    for _ in range(2):
        work()
    wait_for(device)
    start = time.perf_counter()
    for _ in range(times):
        work()
    wait_for(device)
    return (time.perf_counter() - start) / times


def recipe(batch: int, precision: Precision = "float32") -> Training:
    """One epoch of the train stage's recipe."""
    return Training(
        epochs=1,
        batch=batch,
        learning_rate=1e-3,
        scale_rate=20.0,
        warm_up=0,
        schedule="linear",
        weight_decay=1.0,
        clip=None,
        precision=precision,
        seed=0,
    )


class Clock:
    """Notes when each step of a training ended."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def resume(self, epochs: int) -> None:
        """Never happens here."""

    def step(self, images: int, log_likelihood: Tensor) -> None:
        """A step ended."""
        wait_for(log_likelihood.device)
        self.times.append(time.perf_counter())

    def epoch(self, row: dict[str, float]) -> None:
        """The epoch ended."""

    def seconds(self) -> float:
        """Time of a step, after the first ones."""
        return (self.times[-1] - self.times[WARM_UP - 1]) / (len(self.times) - WARM_UP)
