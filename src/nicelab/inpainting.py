"""Inpainting by projected gradient ascent on log p(x) (problem 3).

Hidden pixels follow the gradient and are kept in [0, 1]; observed ones keep their value. Both
are one projection onto {x : x_observed given, 0 ≤ x_hidden ≤ 1}, of which problem 2's segment
is the case of two pixels.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from nicelab.errors import InputError
from nicelab.images import SIDE
from nicelab.nice import NICE
from nicelab.params import Section
from nicelab.statistics import Estimate, mean

METHODS = ("as_printed", "gradient_zeroed")

Span = Annotated[list[Annotated[int, Field(ge=0, lt=SIDE)]], Field(min_length=2, max_length=2)]


class Box(Section):
    """Rows and columns that are hidden, first and last included, counted from 0."""

    rows: Span
    columns: Span

    @model_validator(mode="after")
    def _hides_something(self) -> Self:
        for name in ("rows", "columns"):
            first, last = getattr(self, name)
            if first > last:
                raise ValueError(
                    f"{name} must be [first, last] with first <= last, else the "
                    f"box hides no pixel, got [{first}, {last}]"
                )
        return self


class Inpainting(Section):
    """The sheet's constants, and over how many test images the methods are compared."""

    image: Annotated[int, Field(ge=0)]
    images: Annotated[int, Field(ge=2)]
    box: Box
    fill: Annotated[float, Field(ge=0, le=1)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    step_size: Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Completion:
    """Completed images, (n, D), and log p before each step and at the end, (steps + 1, n)."""

    images: Tensor
    log_likelihood: Tensor


def hidden_pixels(box: Box) -> Tensor:
    """True where a pixel is hidden, shape (784,)."""
    hidden = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    hidden[box.rows[0] : box.rows[1] + 1, box.columns[0] : box.columns[1] + 1] = True
    return hidden.flatten()


def project(x: Tensor, observed: Tensor, hidden: Tensor) -> Tensor:
    """Nearest point to x whose observed entries are given and whose hidden ones are in [0, 1].

    Args:
        x: any point, shape (*, D).
        observed: the given values, shape (*, D); its hidden entries are not looked at.
        hidden: bool, shape (D,).
    """
    return torch.where(hidden, x.clamp(0, 1), observed)


def ascend(
    model: NICE, start: Tensor, hidden: Tensor, steps: int, step_size: float, method: str
) -> Completion:
    """Step x ← Π(x + ε g) with g the gradient of log p at x or, as printed, the sum of all so far.

    The sheet's script never sets the gradient's buffer to zero. What it does is not gradient
    ascent but a heavy ball without friction.

    Args:
        model: the flow; its weights need no gradient.
        start: images with the hidden pixels filled, shape (n, D).
        hidden: bool, shape (D,).
        steps: number of steps.
        step_size: ε.
        method: one of `METHODS`.

    Raises:
        ValueError: the method is unknown or nothing is hidden.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method}")
    if not hidden.any():
        raise ValueError("the mask hides no pixel")
    x, g, trace = start.clone(), torch.zeros_like(start), []
    for _ in range(steps):
        x.requires_grad_(True)
        log_p = model.log_prob(x)  # (n,)
        (gradient,) = torch.autograd.grad(log_p.sum(), x)
        g = g + gradient if method == "as_printed" else gradient
        x = project(x.detach() + step_size * g, start, hidden)
        trace.append(log_p.detach())
    with torch.no_grad():
        trace.append(model.log_prob(x))
    return Completion(x, torch.stack(trace))


def squared_error(x: Tensor, truth: Tensor, hidden: Tensor) -> Tensor:
    """Mean squared error over the hidden pixels of each image, shape (n,)."""
    return (x - truth)[:, hidden].square().mean(-1)


def compare(
    model: NICE, test: Tensor, config: Inpainting
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Complete the sheet's image and the first test images with each method.

    Args:
        model: the flow.
        test: test images in [0, 1], shape (n, D).
        config: the constants.

    Returns:
        Arrays for the pictures (the sheet's image under `truth`, `corrupted` and each method,
        the traces of log p under `…_trace`, mean over images under `…_mean_trace`), and metrics.
        Metrics of the sheet's one image are exact; the others are means over test images.

    Raises:
        InputError: the test set has fewer images than asked for.
    """
    for name, needed in (("image", config.image + 1), ("images", config.images)):
        if needed > len(test):
            raise InputError(
                f"inpaint.{name} must be {'<' if name == 'image' else '<='} the "
                f"{len(test)} test images, got {getattr(config, name)}"
            )
    hidden = hidden_pixels(config.box).to(test.device)
    truth = torch.cat([test[config.image : config.image + 1], test[: config.images]])
    start = truth.masked_fill(hidden, config.fill)
    with torch.no_grad():
        truth_log_p, start_log_p = model.log_prob(truth), model.log_prob(start)
    pictures = {"truth": truth[0], "corrupted": start[0], "hidden": hidden}
    metrics: dict[str, Any] = {
        "hidden_pixels": int(hidden.sum()),
        "truth": _summary(truth_log_p, squared_error(truth, truth, hidden)),
        "corrupted": _summary(start_log_p, squared_error(start, truth, hidden)),
        "methods": {},
    }
    errors = {}
    for method in METHODS:
        done = ascend(model, start, hidden, config.steps, config.step_size, method)
        errors[method] = squared_error(done.images, truth, hidden)
        pictures[method] = done.images[0]
        pictures[f"{method}_trace"] = done.log_likelihood[:, 0]
        pictures[f"{method}_mean_trace"] = done.log_likelihood[:, 1:].mean(1)
        metrics["methods"][method] = _summary(done.log_likelihood[-1], errors[method])
    difference = (errors["gradient_zeroed"] - errors["as_printed"])[1:].cpu()
    metrics["squared_error_zeroed_less_printed"] = mean(difference)
    return pictures, metrics


def _summary(log_p: Tensor, error: Tensor) -> dict[str, Any]:
    """Metrics of a batch whose first entry is the sheet's image."""
    return {
        "sheet_image": {
            "log_likelihood": Estimate.exact(log_p[0]),
            "squared_error": Estimate.exact(error[0]),
        },
        "log_likelihood": mean(log_p[1:].cpu()),
        "squared_error": mean(error[1:].cpu()),
    }
