"""The study of the ascents: a rule that converges on every mask, and the published ones."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from nicelab.errors import InputError
from nicelab.flows.nice import NICE
from nicelab.inpainting.ascent import (
    DecayingAdam,
    FixedStep,
    Noisy,
    Rule,
    State,
    SummedGradients,
    ascend,
)
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.density import fisher_information
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


class Ascents(Section):
    """How far and how long to ascend."""

    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    step_size: Starts
    tolerance: Annotated[float, Field(gt=0)]
    samples: Annotated[int, Field(ge=2)]
    sheet: Sheet
    published: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0)]


def published(sheet: Sheet, random: torch.Generator) -> dict[str, Rule]:
    """The sheet's rules, as printed and as meant, and the paper's, as written and as released."""
    return {
        "as_printed": SummedGradients(sheet.step_size),
        "gradient_zeroed": FixedStep(sheet.step_size),
        "paper": Noisy(1.0, random),
        "paper_released": Noisy(MEAN_OF, random),
    }


SHEETS = ("as_printed", "gradient_zeroed")


def study(
    model: NICE, images: Tensor, hidden: Tensor, gaussian: Tensor, names: list[str],
    picture: int, config: Ascents,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Complete all images behind all masks by our rule, and some by the published ones.

    Args:
        model: the flow.
        images: the originals in [0, 1], shape (n, D).
        hidden: masks, shape (k, D).
        gaussian: the Gaussian's completions, shape (k, n, D).
        names: of the masks.
        picture: the image of which all states of the ascent from grey are kept.
        config: the constants.

    Returns:
        What `trace` keeps of each ascent, with a prefix: `grey` and `gaussian`, our rule from
        either start; `as_printed`, `gradient_zeroed`, `paper` and `paper_released`, the published
        rules on the first images; `sheet_as_printed` and `sheet_gradient_zeroed`, all images
        behind the sheet's mask with the sheet's number of steps. And `tolerance`, and
        `sheet`, which mask is the sheet's.

    Raises:
        InputError: the sheet's mask is unknown, or there are too few images.
    """
    sheet, device = config.sheet, images.device
    if sheet.mask not in names:
        known = ", ".join(names)
        raise InputError(f"ascend.sheet.mask must be one of {known}, got {sheet.mask}")
    if config.published > len(images):
        raise InputError(
            f"ascend.published must be <= the {len(images)} images behind the masks, "
            f"got {config.published}"
        )
    drawn = model.sample(config.samples, generator(config.seed, "samples", device=device))
    scale = fisher_information(model.log_prob, drawn).diagonal().rsqrt().to(images.dtype)
    which = names.index(sheet.mask)
    arrays = {"tolerance": np.array(config.tolerance), "sheet": np.array(which)}

    def run(
        name: str, truth: Tensor, masks: Tensor, start: Tensor | float, rule: Rule, steps: int,
        tolerance: float = 0.0, framed: int | None = None,
    ) -> None:  # fmt: skip
        corrupted = Corrupted.hide(truth, masks)
        start = corrupted.fill(start) if isinstance(start, float) else start
        states = ascend(model.log_prob, corrupted, start, rule, steps, scale, tolerance)
        states = tqdm(states, name, steps + 1, unit=" steps", disable=None)
        kept = trace(states, corrupted, truth, framed)
        arrays.update({f"{name}_{key}": array for key, array in kept.items()})

    ours = {
        "grey": (GREY, config.step_size.grey, picture),
        "gaussian": (gaussian, config.step_size.gaussian, None),
    }
    for name, (start, step_size, framed) in ours.items():
        rule = DecayingAdam(step_size, config.steps)
        run(name, images, hidden, start, rule, config.steps, config.tolerance, framed)
    random = generator(config.seed, "published", device=device)
    some = images[: config.published]
    noise = torch.rand(len(hidden), *some.shape, generator=random, device=device)
    for name, rule in published(sheet, random).items():
        run(name, some, hidden, sheet.fill if name in SHEETS else noise, rule, config.steps)
        if name in SHEETS:
            mask = hidden[which : which + 1]
            run(f"sheet_{name}", images, mask, sheet.fill, rule, sheet.steps)
    return arrays


def trace(
    states: Iterator[State], corrupted: Corrupted, truth: Tensor, framed: int | None
) -> dict[str, np.ndarray]:
    """Follow an ascent to its end.

    Args:
        states: the t states.
        corrupted: the images behind their masks.
        truth: the originals, shape (n, D).
        framed: the image of which each state is kept, if any.

    Returns:
        The completions `images`, (k, n, D); `log_prob` in nats, `error` (mean squared, over hidden
        pixels) and `residual`, each (t, k, n); `frames`, (t, k, D), if an image is framed.
    """
    kept: dict[str, list[Tensor]] = {"log_prob": [], "error": [], "residual": [], "frames": []}
    for state in states:
        kept["log_prob"].append(state.log_prob)
        kept["error"].append(corrupted.on_hidden((state.x - truth).square()))
        kept["residual"].append(state.residual)
        if framed is not None:
            kept["frames"].append(state.x[:, framed])
    arrays = {name: torch.stack(values) for name, values in kept.items() if values}
    return {name: array.cpu().numpy() for name, array in ({"images": state.x} | arrays).items()}
