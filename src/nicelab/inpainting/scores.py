"""The scores of all completions, with errors over images, paired where methods are compared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from nicelab.flows.flow import Flow
from nicelab.images.levels import LEVELS, SIDE
from nicelab.inpainting.ascent_study import RULES, SHEETS
from nicelab.inpainting.classifier import Classifier
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.coverage import judge_posterior
from nicelab.inpainting.fills import FILLS
from nicelab.inpainting.records import Ascents, Fills, Posterior, Problems
from nicelab.statistics import Estimate, mean

LEAST_ERROR = 1 / (12 * (LEVELS - 1) ** 2)  # what rounding to grey levels makes; 58.9 dB
REFERENCE = "gaussian"  # with which the other methods are compared, image by image

Scores = dict[str, Tensor]  # of a method, each of shape (k, n)


@dataclass(frozen=True)
class Study:
    """All that is scored."""

    problems: Problems
    fills: Fills
    ascents: Ascents
    posterior: Posterior

    @property
    def truth(self) -> Tensor:
        """The originals, shape (n, D)."""
        return torch.from_numpy(self.problems.images)

    @property
    def corrupted(self) -> Corrupted:
        """The originals behind all masks."""
        return Corrupted.hide(self.truth, torch.from_numpy(self.problems.hidden))

    def completions(self) -> dict[str, Tensor]:
        """Every method's completions of all images behind all masks, (k, n, D), by name."""
        found = self.fills.images | {name: by.images(self) for name, by in BY_FLOW.items()}
        return {name: torch.from_numpy(images) for name, images in found.items()}


@dataclass(frozen=True)
class ByFlow:
    """A method that needs a flow: what a reader calls it, and where its completions are."""

    label: str
    images: Callable[[Study], np.ndarray]


BY_FLOW = {
    "ascent_from_grey": ByFlow("ascent from grey", lambda s: s.ascents.traces["grey"].images),
    "ascent_from_gaussian": ByFlow(
        "ascent from the Gaussian", lambda s: s.ascents.traces["gaussian"].images
    ),
    "posterior_draw": ByFlow("posterior draw", lambda s: s.posterior.draw),
    "posterior_mean": ByFlow("posterior mean", lambda s: s.posterior.mean),
}


def squared_error(x: Tensor, truth: Tensor, corrupted: Corrupted) -> Tensor:
    """Mean squared error on the hidden pixels of each image, shape (k, n), float64."""
    return corrupted.on_hidden((x - truth).double().square())


def psnr(error: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB for a peak of 1; errors count as rounding at least."""
    return -10 * error.clamp(min=LEAST_ERROR).log10()


def ssim(x: Tensor, truth: Tensor, corrupted: Corrupted) -> Tensor:
    """Structural similarity (Wang et al., 2004), mean over the hidden pixels, shape (k, n)."""
    shape = (-1, SIDE, SIDE)
    first, second = (
        y.expand_as(corrupted.observed).reshape(shape).movedim(0, -1).numpy() for y in (x, truth)
    )
    _, similarity = structural_similarity(
        first, second, data_range=1.0, channel_axis=-1, full=True
    )
    similarity = torch.from_numpy(similarity).movedim(-1, 0).reshape(corrupted.observed.shape)
    return corrupted.on_hidden(similarity)


def mid_level(truth: Tensor, corrupted: Corrupted) -> Tensor:
    """The originals, (n, D), with hidden pixels in the middle of their grey level, (k, n, D).

    A completion may lie anywhere within a level. An original without dequantisation noise lies at
    the edge of its first one, where the model expects none: that alone costs it many nats.
    """
    middle = ((truth * (LEVELS - 1)).round() + 0.5) / LEVELS
    return torch.where(corrupted.hidden[:, None], middle, corrupted.observed)


def score(model: Flow, classifier: Classifier, study: Study) -> dict[str, Any]:
    """Metrics of everything.

    Args:
        model: the flow.
        classifier: judges which digit a completion shows.
        study: the originals, their masks, and all completions.
    """
    tables = {
        method: _scores(model, classifier, study, study.corrupted.project(images))
        for method, images in study.completions().items()
    }
    for method, table in tables.items():
        if method != REFERENCE:
            less = table["squared_error"] - tables[REFERENCE]["squared_error"]
            table[f"squared_error_less_{REFERENCE}"] = less
    original = _log_likelihoods(model, mid_level(study.truth, study.corrupted))
    recognised = _recognised(model, classifier, study, study.truth)
    names = study.problems.names.tolist()
    return {
        "images": len(study.truth),
        "truth": {"log_likelihood": mean(original.mean(0)), "accuracy": mean(recognised)},
        **_sheet(study.problems, study.ascents),
        "published": _published(names, study.ascents, original),
        "ascent": {start: _ascent(names, study.ascents, start) for start in ("grey", "gaussian")},
        "posterior": judge_posterior(study.problems, study.posterior),
        "masks": {
            name: {
                "hidden_pixels": int(study.problems.hidden[k].sum()),
                "truth": {"log_likelihood": mean(original[k])},
                "methods": {method: _means(table, k) for method, table in tables.items()},
            }
            for k, name in enumerate(names)
        },
        "mean_over_masks": {method: _means_over_masks(table) for method, table in tables.items()},
        "labels": labels(study.problems),
    }


def labels(problems: Problems) -> dict[str, dict[str, str]]:
    """What a reader calls the masks, the methods and the rules."""
    return {
        "masks": dict(zip(problems.names.tolist(), problems.mask_labels.tolist(), strict=True)),
        "methods": {name: entry.label for name, entry in {**FILLS, **BY_FLOW}.items()},
        "rules": {name: rule.label for name, rule in RULES.items()},
    }


def _means(table: Scores, k: int) -> dict[str, Estimate]:
    return {score: mean(values[k]) for score, values in table.items()}


def _means_over_masks(table: Scores) -> dict[str, Estimate]:
    return {score: mean(values.mean(0)) for score, values in table.items()}


def _scores(model: Flow, classifier: Classifier, study: Study, x: Tensor) -> Scores:
    error = squared_error(x, study.truth, study.corrupted)
    return {
        "squared_error": error,
        "psnr": psnr(error),
        "ssim": ssim(x, study.truth, study.corrupted),
        "log_likelihood": _log_likelihoods(model, x),
        "accuracy": _recognised(model, classifier, study, x),
    }


def _log_likelihoods(model: Flow, x: Tensor) -> Tensor:
    return model.log_likelihoods(x.to(model.device)).cpu()


def _recognised(model: Flow, classifier: Classifier, study: Study, x: Tensor) -> Tensor:
    """1 where the classifier sees the right digit, else 0."""
    digits = torch.from_numpy(study.problems.labels)
    return (classifier.classify(x.to(model.device)).cpu() == digits).double()


def _sheet(problems: Problems, ascents: Ascents) -> dict[str, Any]:
    """Problem 3: its two rules behind its own mask; its one image is exact."""
    picture, methods, errors = int(problems.picture), {}, {}
    for method in SHEETS:
        trace = ascents.traces[f"sheet_{method}"]
        log_p, error = trace.log_prob[-1, 0], trace.error[-1, 0]
        errors[method] = error
        methods[method] = {
            "log_likelihood": mean(log_p),
            "squared_error": mean(error),
            "sheet_image": {
                "log_likelihood": Estimate.exact(log_p[picture]),
                "squared_error": Estimate.exact(error[picture]),
            },
        }
    difference = mean(errors["gradient_zeroed"] - errors["as_printed"])
    return {"methods": methods, "squared_error_zeroed_less_printed": difference}


def _published(names: list[str], ascents: Ascents, truth: Tensor) -> dict[str, Any]:
    """How far each rule comes in as many steps, behind every mask, from its source's start.

    The published rules on the first images, ours from grey on all; `truth` is log p of the
    originals, shape (k, n).
    """
    found: dict[str, Any] = {}
    for rule, entry in RULES.items():
        trace = ascents.traces[entry.trace]
        less = trace.log_prob[-1] - truth[:, : trace.log_prob.shape[2]].numpy()
        found[rule] = {
            name: {
                "log_likelihood_less_truth": mean(less[k]),
                "squared_error": mean(trace.error[-1, k]),
                "residual": mean(trace.residual[-1, k]),
            }
            for k, name in enumerate(names)
        }
    return found


def _ascent(names: list[str], ascents: Ascents, start: str) -> dict[str, Any]:
    """Steps that our rule took, and how near to stationary it came."""
    residual, tolerance = ascents.traces[start].residual, float(ascents.tolerance)
    moved = np.diff(residual, axis=0) != 0
    steps = np.where(moved.any(0), len(moved) - moved[::-1].argmax(0), 0)
    return {
        name: {
            "steps": mean(steps[k]),
            "residual": mean(residual[-1, k]),
            "share_converged": mean(residual[-1, k] <= tolerance),
        }
        for k, name in enumerate(names)
    }
