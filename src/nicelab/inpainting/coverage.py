"""How the posterior's draws relate to the truth, and how well its chains mixed."""

from typing import Any

import numpy as np

from nicelab.images.levels import LEVELS
from nicelab.inpainting.records import Posterior, Problems
from nicelab.statistics import Estimate, mean

MIXED = 1.05  # chains with a smaller R-hat count as mixed (Vehtari et al., 2021, section 4)
ENOUGH = 100  # effective draws
SHARE = 0.9  # of images whose chains must have both, that a mask's posterior is accepted


def judge_posterior(problems: Problems, posterior: Posterior) -> dict[str, Any]:
    """Coverage of the intervals between the chains' last draws, and how the chains behaved.

    If truth and the last draws of A independent chains are exchangeable, the truth lies between
    the least and the largest with probability (A − 1) / (A + 1). All are grey levels here, of
    width 1/255, and an interval that meets the truth's covers it. Pixels where truth and
    draws together span less than a grey level say little; `coverage_of_uncertain` leaves them out.
    """
    chains = int(posterior.chains)
    half = 0.5 / (LEVELS - 1)
    lower, upper = posterior.lower, posterior.upper
    covered = (lower <= problems.images + half) & (upper >= problems.images - half)
    span = np.maximum(upper, problems.images) - np.minimum(lower, problems.images)
    uncertain = span > 2 * half
    return {
        "nominal_coverage": Estimate.exact((chains - 1) / (chains + 1)),
        "chains": chains,
        "long": {
            "images": posterior.r_hat.shape[1],
            "r_hat": MIXED,
            "ess": ENOUGH,
            "share": SHARE,
        },
        "masks": {
            name: {
                **_coverage(covered[k], uncertain[k], problems.hidden[k]),
                **_chains(posterior, k, problems.hidden[k]),
            }
            for k, name in enumerate(problems.names.tolist())
        },
    }


def _coverage(covered: np.ndarray, uncertain: np.ndarray, hidden: np.ndarray) -> dict[str, Any]:
    """Over images; all of shape (n, D)."""
    unsure = uncertain & hidden
    share = (covered & unsure).sum(1) / unsure.sum(1).clip(min=1)
    return {
        "coverage": mean((covered & hidden).sum(1) / hidden.sum(1)),
        "coverage_of_uncertain": mean(share),
    }


def _chains(posterior: Posterior, k: int, hidden: np.ndarray) -> dict[str, Any]:
    """How the chains of mask k behaved; the masks of its images are (n, D)."""
    mixed = (posterior.r_hat[k] < MIXED) & (posterior.ess[k] >= ENOUGH)
    return {
        "standard_deviation": _on_hidden(posterior.standard_deviation[k], hidden),
        "disagreement": _on_hidden(posterior.chain_variance[k], hidden),
        "share_outside_0_1": mean(posterior.outside[k]),
        "acceptance": mean(posterior.acceptance[k]),
        "median_r_hat": Estimate.exact(np.median(posterior.r_hat[k])),
        "median_ess": Estimate.exact(np.median(posterior.ess[k])),
        "share_mixed": mean(mixed),
        "accepted": bool(mixed.mean() >= SHARE),
    }


def _on_hidden(values: np.ndarray, hidden: np.ndarray) -> Estimate:
    return mean((values * hidden).sum(1) / hidden.sum(1))
