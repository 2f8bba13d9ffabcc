"""Maximum likelihood for NICE: dequantise, ascend, keep the best validation weights."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from nicelab.errors import InputError
from nicelab.flows.nice import NICE
from nicelab.images.levels import dequantise, moments
from nicelab.machine.device import DTYPES
from nicelab.machine.ranks import ALONE, Ranks
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator

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

    def resume(self, epochs: int) -> None:
        """So many epochs were done before the training was interrupted."""

    def step(self, images: int, log_likelihood: Tensor) -> None:
        """A batch of this size had this mean log-likelihood, a scalar on the model's device."""

    def epoch(self, row: dict[str, float]) -> None:
        """An epoch ended with this row of the training curve."""


class Memory(Protocol):
    """Where the training keeps its state after each epoch, to go on if it is interrupted."""

    def load(self) -> dict[str, Any] | None:
        """The last state, None if there is none."""

    def save(self, state: dict[str, Any]) -> None:
        """Keep this state: tensors, numbers and text in dictionaries and lists."""


@dataclass(frozen=True)
class Trained:
    """The training curve, a row an epoch; the weights with the best validation likelihood."""

    curve: list[dict[str, float]]
    best_epoch: int
    validation: Estimate


@dataclass
class _Run:
    """All that changes while a model trains."""

    model: NICE
    optimiser: Optimizer
    decay: LambdaLR
    curve: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "decay": self.decay.state_dict(),
            "curve": self.curve,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
        }

    def restore(self, state: dict[str, Any]) -> None:
        for part in ("model", "optimiser", "decay"):
            getattr(self, part).load_state_dict(state[part])
        for name in ("curve", "best_epoch", "best_weights"):
            setattr(self, name, state[name])


def schedule(kind: str) -> Callable[[float], float]:
    """Factor of the learning rate against the share of training done, from 1 downwards."""
    return {
        "constant": lambda done: 1.0,
        "linear": lambda done: 1 - done,
        "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    }[kind]


@torch.no_grad()
def log_likelihoods(model: NICE, x: Tensor) -> Tensor:
    """Log-likelihood in nats of many images, shape (n, D), a few at a time; (n,), float64."""
    return torch.cat([model.log_prob(part) for part in x.split(EVALUATION_BATCH)])


def train(
    model: NICE,
    images: Tensor,
    validation: Tensor,
    config: Training,
    progress: Progress,
    memory: Memory | None = None,
    ranks: Ranks = ALONE,
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
        memory: where to go on from, and to keep the state after each epoch.
        ranks: the processes that share the work; they all call this with the same arguments.

    Raises:
        InputError: the likelihood became NaN or infinite, or the batch exceeds the images.
    """
    _require_batch(config.batch, len(images), ranks)
    device = images.device
    centre, spread = moments(images)
    model.initialise(centre, spread, generator(config.seed, "initialise", device=device))
    _learn_in_units(model, spread)
    optimiser = _optimiser(model, config)
    steps = config.epochs * (len(images) // config.batch)
    factor = schedule(config.schedule)
    run = _Run(model, optimiser, LambdaLR(optimiser, lambda step: factor(step / steps)))
    if memory and (state := ranks.same(memory.load() if ranks.first else None)):
        run.restore(state)
        progress.resume(len(run.curve))
    log_prob = ranks.average_gradients(_LogProb(model))
    held_out = dequantise(validation, generator(config.seed, "validation", device=device))

    for epoch in range(len(run.curve) + 1, config.epochs + 1):
        row = {"epoch": epoch, "learning_rate": run.decay.get_last_lr()[0]}
        row["training_log_likelihood"] = _ascend(
            log_prob, images, run, config, epoch, progress, ranks
        )
        likelihoods = log_likelihoods(model, ranks.share(held_out))
        estimate = mean(ranks.merge(likelihoods, len(held_out)).cpu())
        row["validation_log_likelihood"] = estimate.value
        row["validation_standard_error"] = estimate.standard_error
        _require_finite(row, config)
        run.curve.append(row)
        if estimate.value == max(r["validation_log_likelihood"] for r in run.curve):
            run.best_epoch = epoch
            run.best_weights = {name: w.clone() for name, w in model.state_dict().items()}
        if memory and ranks.first:
            memory.save(run.state())
        progress.epoch(row)
    model.load_state_dict(run.best_weights)
    _fold_units(model)
    best = run.curve[run.best_epoch - 1]
    validation_estimate = Estimate(
        best["validation_log_likelihood"], best["validation_standard_error"], len(validation)
    )
    return Trained(run.curve, run.best_epoch, validation_estimate)


def _ascend(
    log_prob: nn.Module,
    images: Tensor,
    run: _Run,
    config: Training,
    epoch: int,
    progress: Progress,
    ranks: Ranks,
) -> float:
    """One pass over the images; returns the mean log-likelihood on the way.

    Seed, epoch and index of an image decide its noise, whatever process draws it and when.
    """
    x = dequantise(images, generator(config.seed, "noise", epoch, device=images.device))
    sums = []
    for batch in _batches(len(images), config, epoch):
        share = ranks.share(batch).to(x.device)
        with _precision(config.precision, x.device):
            log_likelihood = log_prob(x[share]).sum() / config.batch
        run.optimiser.zero_grad()
        (-ranks.size * log_likelihood).backward()  # gradients are then averaged over ranks
        run.optimiser.step()
        run.decay.step()
        sums.append(log_likelihood.detach())
        progress.step(config.batch, ranks.size * sums[-1])
    return float(ranks.total(torch.stack(sums)).mean())


class _LogProb(nn.Module):
    """The log density as a module, whose gradients several processes can average."""

    def __init__(self, model: NICE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model.log_prob(x)


class _Units(nn.Module):
    """Turns a shift in units, of shape (*, D/2), into a shift of pixels."""

    def __init__(self, unit: Tensor) -> None:
        super().__init__()
        self.unit = unit

    def forward(self, shift: Tensor) -> Tensor:
        return shift * self.unit


@torch.no_grad()
def _learn_in_units(model: NICE, spread: Tensor) -> None:
    """Learn each shift in units of the spread of the pixel it shifts.

    Spreads differ by a factor of 400 between the border and the middle, so that one step of
    Adam, of about the learning rate in every weight, would throw border pixels far off.
    """
    for coupling in model.couplings:
        unit = spread[coupling.shifts :: 2]
        coupling.m[-1].weight.div_(unit[:, None])
        coupling.m[-1].bias.div_(unit)
        coupling.m.append(_Units(unit))


@torch.no_grad()
def _fold_units(model: NICE) -> None:
    """Undo `_learn_in_units`: the same flow, with plain weights again."""
    for coupling in model.couplings:
        unit = coupling.m.pop(-1).unit
        coupling.m[-1].weight.mul_(unit[:, None])
        coupling.m[-1].bias.mul_(unit)


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


def _batches(count: int, config: Training, epoch: int) -> Iterator[Tensor]:
    """Indices in a random order of this epoch; a last incomplete batch is left out."""
    order = torch.randperm(count, generator=generator(config.seed, "order", epoch))
    yield from order[: count // config.batch * config.batch].split(config.batch)


def _precision(name: str, device: torch.device) -> torch.autocast | nullcontext:
    """Matrix products in this precision; weights, sums and likelihoods stay in float32/64."""
    if name == "float32":
        return nullcontext()
    return torch.autocast(device.type, DTYPES[name])


def _require_batch(batch: int, images: int, ranks: Ranks) -> None:
    if batch > images:
        raise InputError(f"train.batch must be <= the {images} training images, got {batch}")
    if batch < ranks.size:
        raise InputError(
            f"train.batch must be >= {ranks.size}, the number of processes that share it, "
            f"got {batch}"
        )


def _require_finite(row: dict[str, float], config: Training) -> None:
    for name in ("training_log_likelihood", "validation_log_likelihood"):
        if not math.isfinite(row[name]):
            raise InputError(
                f"training diverged: {name} of epoch {row['epoch']} is {row[name]}; no model is "
                f"kept; lower train.learning_rate (now {config.learning_rate:g})"
            )
