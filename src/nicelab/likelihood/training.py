"""Maximum likelihood for a flow: dequantise, ascend, keep the best validation weights."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from nicelab.errors import InputError
from nicelab.flows.flow import Flow
from nicelab.images.levels import dequantise
from nicelab.likelihood.halves import HalvedWeights, multiplied
from nicelab.likelihood.recipe import Training, rate_factor
from nicelab.machine.precision import Precision, autocast, resolve
from nicelab.machine.ranks import ALONE, Ranks
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator


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
    """How a training went.

    Args:
        curve: a row an epoch, its likelihoods in the training's precision.
        best_epoch: the one whose weights were kept.
        validation: log-likelihood of the kept weights, in float32.
        precision: of the matrix products on the way.
    """

    curve: list[dict[str, float]]
    best_epoch: int
    validation: Estimate
    precision: Precision


@dataclass
class _State:
    """All that changes while a model trains."""

    model: Flow
    precision: Precision
    halves: HalvedWeights
    optimiser: Optimizer
    decay: LambdaLR
    curve: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "halves": self.halves.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "decay": self.decay.state_dict(),
            "curve": self.curve,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
        }

    def restore(self, state: dict[str, Any]) -> None:
        for part in ("model", "halves", "optimiser", "decay"):
            getattr(self, part).load_state_dict(state[part])
        for name in ("curve", "best_epoch", "best_weights"):
            setattr(self, name, state[name])

    def append(self, row: dict[str, float]) -> None:
        """The row of an epoch that has ended; the weights are kept if it is the best so far."""
        self.curve.append(row)
        likelihood = row["validation_log_likelihood"]
        if likelihood == max(r["validation_log_likelihood"] for r in self.curve):
            self.best_epoch = len(self.curve)
            live = self.model.state_dict(keep_vars=True)
            self.best_weights = {name: self.halves.whole(w) for name, w in live.items()}

    def keep_best(self) -> None:
        """Give the model the best weights so far, in float32."""
        self.halves.end()
        self.model.load_state_dict(self.best_weights)


@dataclass(frozen=True)
class Run:
    """A training: its recipe, who is told of it, where it goes on from, and who shares it.

    Args:
        recipe: the constants.
        progress: is told of each step and epoch.
        memory: where to go on from, and to keep the state after each epoch.
        ranks: the processes that share the work; they all train with the same arguments.
    """

    recipe: Training
    progress: Progress
    memory: Memory | None = None
    ranks: Ranks = ALONE

    def train(self, model: Flow, images: Tensor, validation: Tensor) -> Trained:
        """Train `model` in place and leave it finished, with its best validation weights.

        AdamW (Loshchilov and Hutter, 2019) on the mean negative log-likelihood, with the model's
        own parameter groups.

        Args:
            model: the flow, on the device to train on.
            images: training levels 0–255, shape (n, D), dtype uint8, same device.
            validation: validation levels, shape (m, D).

        Raises:
            InputError: the likelihood became NaN or infinite, or the batch exceeds the images.
        """
        _require_batch(self.recipe.batch, len(images), self.ranks)
        model.initialise(images, self._stream("initialise", device=images.device))
        state = self._begin(model, len(images))
        log_prob = self.ranks.average_gradients(_LogProb(model))
        held_out = dequantise(validation, self._stream("validation", device=images.device))
        for epoch in range(len(state.curve) + 1, self.recipe.epochs + 1):
            row = {"epoch": epoch, "learning_rate": state.decay.get_last_lr()[0]}
            row["training_log_likelihood"] = self._ascend(log_prob, images, state, epoch)
            with autocast(state.precision, images.device):
                reached = self._validate(model, held_out)
            row["validation_log_likelihood"] = reached.value
            row["validation_standard_error"] = reached.standard_error
            _require_finite(row, self.recipe)
            state.append(row)
            if self.memory and self.ranks.first:
                self.memory.save(state.dump())
            self.progress.epoch(row)
        state.keep_best()
        model.finish()
        reached = self._validate(model, held_out)
        return Trained(state.curve, state.best_epoch, reached, state.precision)

    def _begin(self, model: Flow, images: int) -> _State:
        """The first state, or the last one of a training that was interrupted."""
        recipe, precision = self.recipe, resolve(self.recipe.precision, model.device)
        optimiser = AdamW(model.groups(recipe), lr=recipe.learning_rate, fused=True)
        # Gradients that are clipped, or averaged over processes, must all be there before a step;
        # a GPU casts in no time.
        apart = recipe.clip is None and self.ranks.size == 1
        halved = precision == "bfloat16" and apart and model.device.type == "cpu"
        halves = HalvedWeights(multiplied(model) if halved else (), optimiser)
        steps = recipe.epochs * (images // recipe.batch)
        decay = LambdaLR(optimiser, rate_factor(recipe, steps))
        state = _State(model, precision, halves, optimiser, decay)
        kept = self.memory.load() if self.memory and self.ranks.first else None
        if self.memory and (kept := self.ranks.same(kept)):
            state.restore(kept)
            self.progress.resume(len(state.curve))
        return state

    def _ascend(self, log_prob: nn.Module, images: Tensor, state: _State, epoch: int) -> float:
        """One pass over the images; returns the mean log-likelihood on the way.

        Seed, epoch and index of an image decide its noise, whatever process draws it and when.
        """
        x = dequantise(images, self._stream("noise", epoch, device=images.device))
        batch, ranks, sums = self.recipe.batch, self.ranks, []
        for index in self._batches(len(images), epoch):
            share = ranks.share(index).to(x.device)
            with autocast(state.precision, x.device):
                log_likelihood = log_prob(x[share]).sum() / batch
            state.optimiser.zero_grad()
            (-ranks.size * log_likelihood).backward()  # gradients are then averaged over ranks
            if self.recipe.clip is not None:
                clip_grad_norm_(state.model.parameters(), self.recipe.clip)
            state.optimiser.step()
            state.decay.step()
            sums.append(log_likelihood.detach())
            self.progress.step(batch, ranks.size * sums[-1])
        return float(ranks.total(torch.stack(sums)).mean())

    def _batches(self, count: int, epoch: int) -> Iterator[Tensor]:
        """Indices in a random order of this epoch; a last incomplete batch is left out."""
        order = torch.randperm(count, generator=self._stream("order", epoch))
        batch = self.recipe.batch
        yield from order[: count // batch * batch].split(batch)

    def _validate(self, model: Flow, held_out: Tensor) -> Estimate:
        likelihoods = model.log_likelihoods(self.ranks.share(held_out))
        return mean(self.ranks.merge(likelihoods, len(held_out)).cpu())

    def _stream(self, *name: str | int, device: torch.device | str = "cpu") -> torch.Generator:
        return generator(self.recipe.seed, *name, device=device)


class _LogProb(nn.Module):
    """The log density as a module, whose gradients several processes can average."""

    def __init__(self, model: Flow) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model.log_prob(x)


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
