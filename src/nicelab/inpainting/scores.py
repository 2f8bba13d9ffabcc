"""The scores of all completions, with errors over images, paired where methods are compared."""

from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from nicelab.flows.nice import NICE
from nicelab.images.levels import LEVELS, SIDE
from nicelab.inpainting.classifier import Classifier
from nicelab.inpainting.corrupted import Corrupted
from nicelab.statistics import Estimate, mean

LEAST_ERROR = 1 / (12 * (LEVELS - 1) ** 2)  # what rounding to grey levels makes; 58.9 dB
REFERENCE = "gaussian"  # with which the other methods are compared, image by image
MIXED = 1.1  # chains with a smaller R-hat count as mixed (Gelman et al., 2013, section 11.4)
BATCH = 1000  # images at once

Arrays = dict[str, np.ndarray]


def completions(fills: Arrays, ascents: Arrays, posterior: Arrays) -> dict[str, Tensor]:
    """Every method's completions of all images behind all masks, (k, n, D), by name."""
    found = fills | {
        "ascent_from_grey": ascents["grey_images"],
        "ascent_from_gaussian": ascents["gaussian_images"],
        "posterior_draw": posterior["draw"],
        "posterior_mean": posterior["mean"],
    }
    return {name: torch.from_numpy(images) for name, images in found.items()}


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


@torch.no_grad()
def log_prob(model: NICE, x: Tensor) -> Tensor:
    """Log-likelihood in nats, shape (*), of images (*, D), a few at a time."""
    parts = x.reshape(-1, x.shape[-1]).split(BATCH)
    device = model.s.device
    return torch.cat([model.log_prob(part.to(device)).cpu() for part in parts]).view(x.shape[:-1])


def score(
    model: NICE,
    classifier: Classifier,
    problems: Arrays,
    fills: Arrays,
    ascents: Arrays,
    posterior: Arrays,
) -> dict[str, Any]:
    """Metrics of everything.

    Args:
        model: the flow.
        classifier: judges which digit a completion shows.
        problems: the originals, labels and masks.
        fills: completions without a flow.
        ascents: completions by ascent, and their traces.
        posterior: moments of the chains.
    """
    names = problems["names"].tolist()
    truth, labels, hidden = (torch.from_numpy(problems[k]) for k in ("images", "labels", "hidden"))
    corrupted = Corrupted.hide(truth, hidden)
    device = model.s.device
    tables: dict[str, dict[str, Tensor]] = {}
    for method, images in completions(fills, ascents, posterior).items():
        x = corrupted.project(images)
        error = squared_error(x, truth, corrupted)
        tables[method] = {
            "squared_error": error,
            "psnr": psnr(error),
            "ssim": ssim(x, truth, corrupted),
            "log_likelihood": log_prob(model, x),
            "accuracy": (classifier.classify(x.to(device)).cpu() == labels).double(),
        }
    original = log_prob(model, mid_level(truth, corrupted))
    reference = tables[REFERENCE]["squared_error"]
    for method, table in tables.items():
        if method != REFERENCE:
            table[f"squared_error_less_{REFERENCE}"] = table["squared_error"] - reference
    recognised = (classifier.classify(truth.to(device)).cpu() == labels).double()
    return {
        "images": len(truth),
        "truth": {"log_likelihood": mean(original.mean(0)), "accuracy": mean(recognised)},
        **_sheet(problems, ascents),
        "published": _published(names, ascents, original),
        "ascent": {start: _ascent(names, ascents, start) for start in ("grey", "gaussian")},
        "posterior": _posterior(names, posterior, problems),
        "masks": {
            name: {
                "hidden_pixels": int(hidden[k].sum()),
                "truth": {"log_likelihood": mean(original[k])},
                "methods": {
                    method: {score: mean(values[k]) for score, values in table.items()}
                    for method, table in tables.items()
                },
            }
            for k, name in enumerate(names)
        },
        "mean_over_masks": {
            method: {score: mean(values.mean(0)) for score, values in table.items()}
            for method, table in tables.items()
        },
    }


def _sheet(problems: Arrays, ascents: Arrays) -> dict[str, Any]:
    """Problem 3: its two rules behind its own mask; its one image is exact."""
    picture, methods, errors = int(problems["picture"]), {}, {}
    for method in ("as_printed", "gradient_zeroed"):
        log_p, error = (ascents[f"sheet_{method}_{kind}"][-1, 0] for kind in ("log_prob", "error"))
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


def _published(names: list[str], ascents: Arrays, truth: Tensor) -> dict[str, Any]:
    """How far each rule comes in as many steps, behind every mask, from its source's start.

    The published rules on the first images, ours from grey on all; `truth` is log p of the
    originals, shape (k, n).
    """
    found: dict[str, Any] = {}
    for rule in ("as_printed", "gradient_zeroed", "paper", "paper_released", "decaying"):
        prefix = "grey" if rule == "decaying" else rule
        log_p, error, residual = (
            ascents[f"{prefix}_{key}"][-1] for key in ("log_prob", "error", "residual")
        )
        found[rule] = {
            name: {
                "log_likelihood_less_truth": mean(log_p[k] - truth[k, : log_p.shape[1]].numpy()),
                "squared_error": mean(error[k]),
                "residual": mean(residual[k]),
            }
            for k, name in enumerate(names)
        }
    return found


def _ascent(names: list[str], ascents: Arrays, start: str) -> dict[str, Any]:
    """Steps that our rule took, and how near to stationary it came."""
    residual, tolerance = ascents[f"{start}_residual"], float(ascents["tolerance"])
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


def _posterior(names: list[str], posterior: Arrays, problems: Arrays) -> dict[str, Any]:
    """Coverage of the intervals that the draws span, and how the chains behaved.

    If truth and S draws are exchangeable, a new one lies between the least and the largest of
    them with probability (S − 1) / (S + 1). A pixel of the truth is a grey level, hence covered
    if its interval of 1/256 meets the draws'. Pixels whose draws span less than a grey level say
    little; `coverage_of_uncertain` leaves them out.
    """
    draws = int(posterior["draws"])
    level = np.rint(problems["images"] * (LEVELS - 1))
    lower, upper = posterior["lower"], posterior["upper"]
    covered = (lower <= (level + 1) / LEVELS) & (upper >= level / LEVELS)
    outside = (posterior["draw"] < 0) | (posterior["draw"] > 1)
    uncertain = upper - lower > 1 / LEVELS
    found: dict[str, Any] = {
        "nominal_coverage": Estimate.exact((draws - 1) / (draws + 1)),
        "draws": draws,
        "masks": {},
    }
    for k, name in enumerate(names):
        where = problems["hidden"][k]
        unsure = uncertain[k] & where
        found["masks"][name] = {
            "coverage": mean(covered[k][:, where].mean(1)),
            "coverage_of_uncertain": mean(
                (covered[k] & unsure).sum(1) / unsure.sum(1).clip(min=1)
            ),
            "standard_deviation": mean(posterior["standard_deviation"][k][:, where].mean(1)),
            "share_outside_0_1": mean(outside[k][:, where].mean(1)),
            "share_mixed": mean(posterior["r_hat"][k] < MIXED),
            "variance_between_chains": mean(posterior["between_chains"][k]),
            "acceptance": mean(posterior["acceptance"][k]),
        }
    return found
