"""The scores of all completions, with errors over images, paired where methods are compared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from nicelab.flows.flow import Flow
from nicelab.images import shapes
from nicelab.images.levels import centre
from nicelab.inpainting.ascent_study import RULES, SHEETS
from nicelab.inpainting.classifier import Classifier
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.coverage import judge_posterior
from nicelab.inpainting.density import evaluate
from nicelab.inpainting.fills import FILLS
from nicelab.inpainting.measures import psnr, squared_error, ssim, without_noise
from nicelab.inpainting.records import Ascents, Fills, Posterior, Problems
from nicelab.statistics import Estimate, mean

REFERENCE = "gaussian"  # with which the other methods are compared, image by image
CHAINS = "chain_mean"  # the method whose error has the noise of its chains in it

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
        """Every method's completions, (k, m, D), by name: of all images or of the first m."""
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
    "chain_draw": ByFlow("draw of a chain", lambda s: s.posterior.draw),
    CHAINS: ByFlow("mean of the chains", lambda s: s.posterior.mean),
}


def score(model: Flow, classifier: Classifier | None, study: Study) -> dict[str, Any]:
    """Metrics of everything.

    Args:
        model: the flow.
        classifier: judges of which class a completion is; None where there are no classes.
        study: the originals, their masks, and all completions.
    """
    tables = _tables(model, classifier, study)
    original = _log_likelihoods(model, centre(study.truth))
    recognised = _recognised(model, classifier, study, study.truth)
    channels = int(study.problems.shape[0])
    names = study.problems.names.tolist()
    ascended = study.ascents.traces["grey"].images.shape[1]
    return {
        "images": len(study.truth),
        "ascended": ascended,
        "truth": {
            "log_likelihood": mean(original),
            **{score: mean(values) for score, values in recognised.items()},
        },
        "ascended_truth": {"log_likelihood": mean(original[:ascended])},
        **_sheet(model, study),
        "published": _published(names, study.ascents, original),
        "ascent": {start: _ascent(names, study.ascents, start) for start in ("grey", "gaussian")},
        "posterior": judge_posterior(study.problems, study.posterior),
        "masks": {
            name: {
                "hidden_pixels": mean(study.problems.hidden[k].sum(1) / channels),
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
        "by_flow": {name: entry.label for name, entry in BY_FLOW.items()},
        "rules": {name: rule.label for name, rule in RULES.items()},
    }


def _means(table: Scores, k: int) -> dict[str, Estimate]:
    return {score: mean(values[k]) for score, values in table.items()}


def _means_over_masks(table: Scores) -> dict[str, Estimate]:
    return {score: mean(values.mean(0)) for score, values in table.items()}


def _tables(model: Flow, classifier: Classifier | None, study: Study) -> dict[str, Scores]:
    """The scores of each method, of shape (K, N); N less where only a part was ascended."""
    completions = tqdm(study.completions().items(), "scores", unit=" methods", disable=None)
    tables = {method: _scores(model, classifier, study, images) for method, images in completions}
    chains = tables[CHAINS]
    chains["squared_error"] = without_noise(
        chains["squared_error"], study.posterior, study.corrupted
    )
    for method, table in tables.items():
        if method != REFERENCE:
            error = table["squared_error"]
            less = error - tables[REFERENCE]["squared_error"][:, : error.shape[1]]
            table[f"squared_error_less_{REFERENCE}"] = less
    return tables


def _scores(model: Flow, classifier: Classifier | None, study: Study, images: Tensor) -> Scores:
    count = images.shape[1]
    truth, corrupted = study.truth[:count], study.corrupted.first(count)
    x = corrupted.project(images)
    error = squared_error(x, truth, corrupted)
    return {
        "squared_error": error,
        "psnr": psnr(error),
        "ssim": ssim(x, truth, corrupted, shapes.of(study.problems.shape)),
        "log_likelihood": _log_likelihoods(model, centre(x)),
        **_recognised(model, classifier, study, x),
    }


def _log_likelihoods(model: Flow, x: Tensor) -> Tensor:
    """Of the flow's coordinates, as the ascents have it."""
    return evaluate(model.log_prob_of_coordinates, model.coordinates(x.to(model.device))).cpu()


def _recognised(model: Flow, classifier: Classifier | None, study: Study, x: Tensor) -> Scores:
    """`accuracy`, 1 where the classifier sees the right class, else 0; if there is one."""
    if classifier is None or study.problems.labels is None:
        return {}
    classes = torch.from_numpy(study.problems.labels[: x.shape[-2]])
    return {"accuracy": (classifier.classify(x.to(model.device)).cpu() == classes).double()}


def _sheet(model: Flow, study: Study) -> dict[str, Any]:
    """Problem 3: its two rules behind its own mask; its one image is exact.

    As the sheet has it, on grey k/255. The originals' hidden pixels count in the middle of their
    level all the same, since a completion may lie anywhere within one.
    """
    picture, which = int(study.problems.picture), int(study.ascents.sheet)
    methods, errors = {}, {}
    for method in SHEETS:
        trace = study.ascents.traces[f"sheet_{method}"]
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
    truth = study.truth[: len(error)]
    hidden = study.corrupted.hidden[which, : len(error)]
    original = _log_likelihoods(model, torch.where(hidden, centre(truth), truth))
    return {
        "methods": methods,
        "squared_error_zeroed_less_printed": mean(
            errors["gradient_zeroed"] - errors["as_printed"]
        ),
        "sheet_truth": {"log_likelihood": mean(original)},
    }


def _published(names: list[str], ascents: Ascents, truth: Tensor) -> dict[str, Any]:
    """How far each rule comes in as many steps on the same images, from its source's start.

    Behind every mask; `truth` is log p of the originals, shape (n,).
    """
    found: dict[str, Any] = {}
    count = ascents.traces["paper"].images.shape[1]
    for rule, entry in RULES.items():
        trace = ascents.traces[entry.trace]
        less = trace.log_prob[-1, :, :count] - truth[:count].numpy()
        found[rule] = {
            name: {
                "log_likelihood_less_truth": mean(less[k]),
                "squared_error": mean(trace.error[-1, k, :count]),
                "residual": mean(trace.residual[-1, k, :count]),
            }
            for k, name in enumerate(names)
        }
    return found


def _ascent(names: list[str], ascents: Ascents, start: str) -> dict[str, Any]:
    """Steps that our rule took, and how near to stationary it came."""
    residual, tolerance = ascents.traces[start].residual, float(ascents.tolerance)
    moved = np.diff(residual, axis=0) != 0
    last = np.arange(1, len(moved) + 1)[:, None, None]
    steps = (moved * last).max(0, initial=0)  # none, where it began at a stationary point
    return {
        name: {
            "steps": mean(steps[k]),
            "residual": mean(residual[-1, k]),
            "share_converged": mean(residual[-1, k] <= tolerance),
        }
        for k, name in enumerate(names)
    }
