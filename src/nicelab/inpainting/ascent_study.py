"""The study of the ascents: a rule that converges on every mask, and the published ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from nicelab.errors import InputError
from nicelab.flows.flow import Flow
from nicelab.inpainting.ascent import Climb, State
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
    """How far and how long to ascend."""

    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    step_size: Starts
    tolerance: Annotated[float, Field(gt=0)]
    samples: Annotated[int, Field(ge=2)]
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
        self.climb = Climb.learned(model.log_prob, self.drawn, config.tolerance)

    def ascend(self, corrupted: Corrupted, begin: Tensor, start: str) -> Iterator[State]:
        """The states from where hidden pixels begin, (k, n, D), which is one of `Starts`."""
        rule = DecayingAdam(getattr(self.config.step_size, start), self.config.steps)
        return self.climb.ascend(corrupted, begin, rule, self.config.steps)


def ascend_all(model: Flow, problems: Problems, gaussian: Tensor, config: Ascending) -> Ascents:
    """Complete all images behind all masks by our rule, and some by the published ones.

    Args:
        model: the flow.
        problems: the originals and their masks.
        gaussian: the Gaussian's completions, shape (k, n, D).
        config: the constants.

    Raises:
        InputError: the sheet's mask is unknown, or there are too few images.
    """
    names = problems.names.tolist()
    _require_sheet(names, len(problems.images), config)
    which = names.index(config.sheet.mask)
    ours = Ours(model, config)
    images, hidden = (
        torch.from_numpy(x).to(model.device) for x in (problems.images, problems.hidden)
    )
    traces = _ours(ours, Corrupted.hide(images, hidden), gaussian, images, int(problems.picture))
    traces |= _published(ours, images, hidden, which)
    return Ascents(tolerance=np.array(config.tolerance), sheet=np.array(which), traces=traces)


def _require_sheet(names: list[str], images: int, config: Ascending) -> None:
    if config.sheet.mask not in names:
        known = ", ".join(names)
        raise InputError(f"ascend.sheet.mask must be one of {known}, got {config.sheet.mask}")
    if config.published > images:
        raise InputError(
            f"ascend.published must be <= the {images} images behind the masks, "
            f"got {config.published}"
        )


def _ours(
    ours: Ours, corrupted: Corrupted, gaussian: Tensor, truth: Tensor, picture: int
) -> dict[str, Trace]:
    """From both starts; of the picture all states of the ascent from grey are kept."""
    begin = {"grey": corrupted.fill(GREY), "gaussian": gaussian}
    framed = {"grey": picture, "gaussian": None}
    traces = {}
    for start, x in begin.items():
        states = _watched(ours.ascend(corrupted, x, start), start, ours.config.steps)
        traces[start] = trace(states, corrupted, truth, framed[start])
    return traces


def _published(ours: Ours, images: Tensor, hidden: Tensor, which: int) -> dict[str, Trace]:
    """The published rules on some images behind every mask; the sheet's on all behind its own."""
    config, climb = ours.config, Climb(ours.climb.density, ours.climb.scale)
    random = generator(config.seed, "published", device=images.device)
    some, traces = images[: config.published], {}
    noise = torch.rand(len(hidden), *some.shape, generator=random, device=images.device)

    def run(name: str, truth: Tensor, masks: Tensor, rule: Rule, steps: int) -> None:
        corrupted = Corrupted.hide(truth, masks)
        white = name.removeprefix("sheet_") in SHEETS
        start = corrupted.fill(config.sheet.fill) if white else noise
        states = _watched(climb.ascend(corrupted, start, rule, steps), name, steps)
        traces[name] = trace(states, corrupted, truth, None)

    for name, rule in published(config.sheet, random).items():
        run(name, some, hidden, rule, config.steps)
        if name in SHEETS:
            run(f"sheet_{name}", images, hidden[which : which + 1], rule, config.sheet.steps)
    return traces


def _watched(states: Iterator[State], name: str, steps: int) -> Iterator[State]:
    return tqdm(states, name, steps + 1, unit=" steps", disable=None)


def trace(
    states: Iterator[State], corrupted: Corrupted, truth: Tensor, framed: int | None
) -> Trace:
    """Follow an ascent to its end.

    Args:
        states: the t states.
        corrupted: the images behind their masks.
        truth: the originals, shape (n, D).
        framed: the image of which each state is kept, if any.
    """
    kept: dict[str, list[Tensor]] = {"log_prob": [], "error": [], "residual": [], "frames": []}
    for state in states:
        kept["log_prob"].append(state.log_prob)
        kept["error"].append(corrupted.on_hidden((state.x - truth).square()))
        kept["residual"].append(state.residual)
        if framed is not None:
            kept["frames"].append(state.x[:, framed])
    arrays = {name: torch.stack(values).cpu().numpy() for name, values in kept.items() if values}
    return Trace(images=state.x.cpu().numpy(), **arrays)
