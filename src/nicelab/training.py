"""Maximum likelihood for NICE: dequantise, ascend, keep the best validation weights."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from nicelab.device import DTYPES, generator
from nicelab.errors import InputError
from nicelab.images import LEVELS, dequantise
from nicelab.nice import NICE
from nicelab.params import Section
from nicelab.statistics import Estimate, mean

EVALUATION_BATCH = 1000


class Training(Section):
    """How NICE is trained."""

    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch: Annotated[int, Field(ge=1, le=1_000_000)]
    learning_rate: Annotated[float, Field(gt=0)]
    scale_rate: Annotated[float, Field(gt=0)]
    schedule: Literal["constant", "linear", "cosine"]
    weight_decay: Annotated[float, Field(ge=0)]
    precision: Literal["float32", "bfloat16"]
    seed: Annotated[int, Field(ge=0)]


class Progress(Protocol):
    """What the training tells while it runs."""

    def step(self, images: int, log_likelihood: Tensor) -> None:
        """A batch of this size had this mean log-likelihood, a scalar on the model's device."""

    def epoch(self, row: dict[str, float]) -> None:
        """An epoch ended with this row of the training curve."""


@dataclass(frozen=True)
class Trained:
    """The training curve, a row an epoch; the weights with the best validation likelihood."""

    curve: list[dict[str, float]]
    best_epoch: int
    validation: Estimate


def schedule(kind: str) -> Callable[[float], float]:
    """Factor of the learning rate against the share of training done, from 1 downwards."""
    return {
        "constant": lambda done: 1.0,
        "linear": lambda done: 1 - done,
        "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    }[kind]


def moments(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each dequantised pixel, from levels of shape (n, D)."""
    x = pixels.double()
    variance = x.var(0, correction=0) + 1 / 12  # the noise adds that of U[0, 1)
    return ((x.mean(0) + 0.5) / LEVELS).float(), (variance.sqrt() / LEVELS).float()


def log_likelihoods(model: NICE, pixels: Tensor, noise: torch.Generator) -> Tensor:
    """Log-likelihood in nats of each image with one noise draw each, shape (n,), float64."""
    with torch.no_grad():
        return torch.cat(
            [model.log_prob(dequantise(p, noise)) for p in pixels.split(EVALUATION_BATCH)]
        )


def train(
    model: NICE, images: Tensor, validation: Tensor, config: Training, progress: Progress
) -> Trained:
    """Train `model` in place and leave it with its best validation weights.

    AdamW (Loshchilov and Hutter, 2019) on the mean negative log-likelihood. The shifts are
    learned in units of the spread of the pixels they shift; the scaling layer has its own rate
    and no weight decay, since decay would pull exp(s) towards 1.

    Args:
        model: the flow, on the device to train on.
        images: training levels 0–255, shape (n, D), dtype uint8, same device.
        validation: validation levels, shape (m, D).
        config: the recipe.
        progress: is told of each step and epoch.

    Raises:
        InputError: the likelihood became NaN or infinite, or the batch exceeds the images.
    """
    if config.batch > len(images):
        raise InputError(
            f"train.batch must be <= the {len(images)} training images, got {config.batch}"
        )
    device = images.device
    centre, spread = moments(images)
    model.initialise(centre, spread, generator(config.seed, "initialise", device=device))
    _learn_in_units(model, spread)
    optimiser = _optimiser(model, config)
    steps = config.epochs * (len(images) // config.batch)
    factor = schedule(config.schedule)
    decay = LambdaLR(optimiser, lambda step: factor(step / steps))
    curve, best, best_epoch, best_weights = [], Estimate(-math.inf, math.inf, 0), 0, {}

    for epoch in range(1, config.epochs + 1):
        row = {"epoch": epoch, "learning_rate": decay.get_last_lr()[0]}
        fitted = _ascend(model, images, optimiser, decay, config, epoch, progress)
        noise = generator(config.seed, "validation", device=device)
        held_out = mean(log_likelihoods(model, validation, noise).cpu())
        row["training_log_likelihood"] = fitted
        row["validation_log_likelihood"] = held_out.value
        row["validation_standard_error"] = held_out.standard_error
        _require_finite(row, config)
        curve.append(row)
        progress.epoch(row)
        if held_out.value > best.value:
            best, best_epoch = held_out, epoch
            best_weights = {name: w.clone() for name, w in model.state_dict().items()}
    model.load_state_dict(best_weights)
    _fold_units(model)
    return Trained(curve, best_epoch, best)


def _ascend(
    model: NICE,
    images: Tensor,
    optimiser: Optimizer,
    decay: LambdaLR,
    config: Training,
    epoch: int,
    progress: Progress,
) -> float:
    """One pass over the images; returns the mean log-likelihood on the way."""
    noise = generator(config.seed, "noise", epoch, device=images.device)
    means = []
    for batch in _batches(images, config, epoch):
        with _precision(config.precision, images.device):
            log_likelihood = model.log_prob(dequantise(batch, noise)).mean()
        optimiser.zero_grad()
        (-log_likelihood).backward()
        optimiser.step()
        decay.step()
        means.append(log_likelihood.detach())
        progress.step(config.batch, means[-1])
    return float(torch.stack(means).mean())


class _InUnits(nn.Module):
    """A parameter w = unit ⊙ v, of which v is learned."""

    def __init__(self, unit: Tensor) -> None:
        super().__init__()
        self.register_buffer("unit", unit)

    def forward(self, v: Tensor) -> Tensor:
        return v * self.unit

    def right_inverse(self, w: Tensor) -> Tensor:
        return w / self.unit


def _learn_in_units(model: NICE, spread: Tensor) -> None:
    """Learn each shift in units of the spread of the pixel it shifts.

    Spreads differ by a factor of 400 between the border and the middle, so that one step of
    Adam, of about the learning rate in every weight, would throw border pixels far off.
    """
    for coupling in model.couplings:
        unit = spread[coupling.shifts :: 2]
        last = coupling.m[-1]
        parametrize.register_parametrization(last, "weight", _InUnits(unit[:, None]))
        parametrize.register_parametrization(last, "bias", _InUnits(unit))


def _fold_units(model: NICE) -> None:
    """Undo `_learn_in_units`: the same flow, with plain weights again."""
    for coupling in model.couplings:
        for name in ("weight", "bias"):
            parametrize.remove_parametrizations(coupling.m[-1], name)


def _optimiser(model: NICE, config: Training) -> Optimizer:
    groups = [
        {"params": list(model.couplings.parameters()), "weight_decay": config.weight_decay},
        {
            "params": [model.s],
            "weight_decay": 0.0,
            "lr": config.learning_rate * config.scale_rate,
        },
    ]
    return AdamW(groups, lr=config.learning_rate, fused=True)


def _batches(images: Tensor, config: Training, epoch: int) -> Iterator[Tensor]:
    """The images in a random order of this epoch; a last incomplete batch is left out."""
    order = torch.randperm(len(images), generator=generator(config.seed, "order", epoch))
    for chunk in order.split(config.batch):
        if len(chunk) == config.batch:
            yield images[chunk.to(images.device)]


def _precision(name: str, device: torch.device) -> torch.autocast | nullcontext:
    """Matrix products in this precision; weights, sums and likelihoods stay in float32/64."""
    if name == "float32":
        return nullcontext()
    return torch.autocast(device.type, DTYPES[name])


def _require_finite(row: dict[str, float], config: Training) -> None:
    for name in ("training_log_likelihood", "validation_log_likelihood"):
        if not math.isfinite(row[name]):
            raise InputError(
                f"training diverged: {name} of epoch {row['epoch']} is {row[name]}; no model is "
                f"kept; lower train.learning_rate (now {config.learning_rate:g})"
            )
