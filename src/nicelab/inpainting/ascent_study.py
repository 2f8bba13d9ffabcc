"""The study of the ascents: a rule that converges on every mask, and the published ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from nicelab.errors import InputError
from nicelab.flows.flow import Flow
from nicelab.images.levels import centre, grey
from nicelab.inpainting.ascent import Climb, State
from nicelab.inpainting.chart import Chart
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.records import Ascents, Problems, Trace
from nicelab.inpainting.rules import DecayingAdam, FixedStep, Noisy, Rule, SummedGradients
from nicelab.pipeline.params import Section
from nicelab.streams import generator

GREY = 0.5
MEAN_OF = 100.0  # images whose mean the paper's released code ascends
Step = Annotated[float, Field(gt=0, le=1)]


class Starts(Section):
    """First step from each start."""

    grey: Step
    gaussian: Step


class Sheet(Section):
    """The sheet's constants."""

    mask: str
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    step_size: Annotated[float, Field(gt=0)]
    fill: Annotated[float, Field(ge=0, le=1)]


class Ascending(Section):
    """How many of the images to ascend, how far and how long."""

    images: Annotated[int, Field(ge=2)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    step_size: Starts
    tolerance: Annotated[float, Field(gt=0)]
    samples: Annotated[int, Field(ge=2, le=100_000)]
    sheet: Sheet
    published: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Named:
    """What a reader calls a rule, and the trace that shows it from its source's start."""

    label: str
    trace: str


RULES = {
    "as_printed": Named("gradients summed, as printed", "as_printed"),
    "gradient_zeroed": Named("fixed step, gradient zeroed", "gradient_zeroed"),
    "paper": Named("paper", "paper"),
    "paper_released": Named("paper, as released", "paper_released"),
    "decaying": Named("decaying Adam step", "grey"),
}
SHEETS = ("as_printed", "gradient_zeroed")


def published(sheet: Sheet, random: torch.Generator) -> dict[str, Rule]:
    """The sheet's rules, as printed and as meant, and the paper's, as written and as released."""
    return {
        "as_printed": SummedGradients(sheet.step_size),
        "gradient_zeroed": FixedStep(sheet.step_size),
        "paper": Noisy(1.0, random),
        "paper_released": Noisy(MEAN_OF, random),
    }


class Ours:
    """Our ascent of a model's likelihood, for the study and for a user's own picture.

    Observed pixels are in the middle of their grey level (`levels.centre`), as the density knows
    them; at the edge of its first level, where k/255 lies, it expects none. It moves in the
    flow's coordinates, `Chart`, and log p is their density.

    Args:
        model: the flow.
        config: the constants.

    Attributes:
        drawn: samples of the model, from which the scale of its pixels is learned.
    """

    def __init__(self, model: Flow, config: Ascending) -> None:
        self.config = config
        random = generator(config.seed, "samples", device=model.device)
        self.drawn = model.sample(config.samples, random)
        self._chart = Chart(model)
        drawn = self._chart.to(self.drawn)
        self._climb = Climb.learned(self._chart.log_prob, drawn, config.tolerance)

    def ascend(self, corrupted: Corrupted, begin: Tensor, start: str) -> Iterator[State]:
        """The states from where hidden pixels begin, (k, n, D), which is one of `Starts`."""
        rule = DecayingAdam(getattr(self.config.step_size, start), self.config.steps)
        return self._follow(self._climb, rule, corrupted, begin, self.config.steps)

    def by(self, rule: Rule, corrupted: Corrupted, begin: Tensor, steps: int) -> Iterator[State]:
        """The same by another rule, all of its steps."""
        return self._follow(replace(self._climb, tolerance=0.0), rule, corrupted, begin, steps)

    def _follow(
        self, climb: Climb, rule: Rule, corrupted: Corrupted, begin: Tensor, steps: int
    ) -> Iterator[State]:
        there = Corrupted(self._chart.to(corrupted.observed), corrupted.hidden)
        for state in climb.ascend(there, self._chart.to(begin), rule, steps):
            yield replace(state, x=corrupted.project(self._chart.back(state.x)))


def ascend_all(model: Flow, problems: Problems, gaussian: Tensor, config: Ascending) -> Ascents:
    """Complete the first images behind all masks by our rule, and some by the published ones.

    All are shown as grey, but the sheet's run is as the sheet has it: on grey k/255 itself.

    Args:
        model: the flow.
        problems: the originals and their masks.
        gaussian: the Gaussian's completions, shape (k, n, D).
        config: the constants.

    Raises:
        InputError: the sheet's mask is unknown, or there are too few images.
    """
    names = problems.names.tolist()
    _require_possible(names, problems, config)
    which = names.index(config.sheet.mask)
    ours = Ours(model, config)
    count = config.images
    images = torch.from_numpy(problems.images[:count]).to(model.device)
    hidden = torch.from_numpy(problems.hidden[:, :count]).to(model.device)
    traces = _ours(ours, images, hidden, gaussian[:, :count], int(problems.picture))
    traces |= _published(ours, images, hidden)
    traces |= _sheet(ours, images, hidden[which : which + 1])
    return Ascents(tolerance=np.array(config.tolerance), sheet=np.array(which), traces=traces)


def _require_possible(names: list[str], problems: Problems, config: Ascending) -> None:
    if config.sheet.mask not in names:
        known = ", ".join(names)
        raise InputError(f"ascend.sheet.mask must be one of {known}, got {config.sheet.mask}")
    picture, available = int(problems.picture), len(problems.images)
    if not picture < config.images <= available:
        raise InputError(
            f"ascend.images must be > mask.picture ({picture}) and <= the {available} images "
            f"behind the masks, got {config.images}"
        )
    if config.published > config.images:
        raise InputError(
            f"ascend.published must be <= ascend.images ({config.images}), got {config.published}"
        )


def _ours(
    ours: Ours, images: Tensor, hidden: Tensor, gaussian: Tensor, picture: int
) -> dict[str, Trace]:
    """From both starts; of the picture all states of the ascent from grey are kept."""
    corrupted = Corrupted.hide(centre(images), hidden)
    begin = {"grey": corrupted.fill(GREY), "gaussian": centre(gaussian)}
    framed = {"grey": picture, "gaussian": None}
    traces = {}
    for start, x in begin.items():
        states = _watched(ours.ascend(corrupted, x, start), start, ours.config.steps)
        traces[start] = trace(states, corrupted, images, grey, framed[start])
    return traces


def _published(ours: Ours, images: Tensor, hidden: Tensor) -> dict[str, Trace]:
    """The published rules on some images behind every mask, in as many steps as ours."""
    config = ours.config
    random = generator(config.seed, "published", device=images.device)
    some = images[: config.published]
    corrupted = Corrupted.hide(centre(some), hidden[:, : config.published])
    shape = corrupted.observed.shape
    noise = torch.rand(shape, generator=random, device=images.device)
    traces = {}
    for name, rule in published(config.sheet, random).items():
        start = corrupted.fill(config.sheet.fill) if name in SHEETS else noise
        states = ours.by(rule, corrupted, start, config.steps)
        traces[name] = trace(_watched(states, name, config.steps), corrupted, some, grey)
    return traces


def _sheet(ours: Ours, images: Tensor, hidden: Tensor) -> dict[str, Trace]:
    """The sheet's rules behind its own mask, (1, n, D), and beside them ours on the same grey."""
    config = ours.config
    corrupted, white = Corrupted.hide(images, hidden), config.sheet.fill
    rules = published(config.sheet, generator(config.seed, "published", device=images.device))
    runs = {
        name: ours.by(rules[name], corrupted, corrupted.fill(white), config.sheet.steps)
        for name in SHEETS
    }
    runs["decaying"] = ours.ascend(corrupted, corrupted.fill(GREY), "grey")
    return {
        f"sheet_{name}": trace(
            _watched(states, name, config.sheet.steps), corrupted, images, lambda x: x
        )
        for name, states in runs.items()
    }


def _watched(states: Iterator[State], name: str, steps: int) -> Iterator[State]:
    return tqdm(states, name, steps + 1, unit=" steps", disable=None)


def trace(
    states: Iterator[State],
    corrupted: Corrupted,
    truth: Tensor,
    shown: Callable[[Tensor], Tensor],
    framed: int | None = None,
) -> Trace:
    """Follow an ascent to its end.

    Args:
        states: the t states.
        corrupted: the images behind their masks.
        truth: the originals, grey, shape (n, D).
        shown: turns a state's images into grey.
        framed: the image of which each state is kept, if any.
    """
    kept: dict[str, list[Tensor]] = {"log_prob": [], "error": [], "residual": [], "frames": []}
    for state in states:
        kept["log_prob"].append(state.log_prob)
        x = shown(state.x)
        kept["error"].append(corrupted.on_hidden((x - truth).square()))
        kept["residual"].append(state.residual)
        if framed is not None:
            kept["frames"].append(x[:, framed])
    arrays = {name: torch.stack(values).cpu().numpy() for name, values in kept.items() if values}
    return Trace(images=x.cpu().numpy(), **arrays)
