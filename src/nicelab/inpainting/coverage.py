"""How the posterior's draws relate to the truth, and how well its chains mixed."""

from typing import Any

import numpy as np

from nicelab.images.levels import LEVELS
from nicelab.inpainting.records import Posterior, Problems
from nicelab.statistics import Estimate, mean

MIXED = 1.1  # chains with a smaller R-hat count as mixed (Gelman et al., 2013, section 11.4)


def judge_posterior(problems: Problems, posterior: Posterior) -> dict[str, Any]:
    """Coverage of the intervals that the draws span, and how the chains behaved.

    If truth and S draws are exchangeable, a new one lies between the least and the largest of
    them with probability (S − 1) / (S + 1). A pixel of the truth is a grey level, hence covered
    if its interval of 1/256 meets the draws'. Pixels whose draws span less than a grey level say
    little; `coverage_of_uncertain` leaves them out.
    """
    draws = int(posterior.draws)
    level = np.rint(problems.images * (LEVELS - 1))
    lower, upper = posterior.lower, posterior.upper
    covered = (lower <= (level + 1) / LEVELS) & (upper >= level / LEVELS)
    masks = zip(problems.names.tolist(), problems.hidden, strict=True)
    return {
        "nominal_coverage": Estimate.exact((draws - 1) / (draws + 1)),
        "draws": draws,
        "masks": {
            name: {
                **_coverage(covered[k], (upper - lower)[k] > 1 / LEVELS, hidden),
                **_chains(posterior, k, hidden),
            }
            for k, (name, hidden) in enumerate(masks)
        },
    }


def _coverage(covered: np.ndarray, uncertain: np.ndarray, hidden: np.ndarray) -> dict[str, Any]:
    """Over images; all of shape (n, D) but for the mask, (D,)."""
    unsure = uncertain & hidden
    share = (covered & unsure).sum(1) / unsure.sum(1).clip(min=1)
    return {
        "coverage": mean(covered[:, hidden].mean(1)),
        "coverage_of_uncertain": mean(share),
    }


def _chains(posterior: Posterior, k: int, hidden: np.ndarray) -> dict[str, Any]:
    outside = (posterior.draw[k] < 0) | (posterior.draw[k] > 1)
    return {
        "standard_deviation": mean(posterior.standard_deviation[k][:, hidden].mean(1)),
        "share_outside_0_1": mean(outside[:, hidden].mean(1)),
        "share_mixed": mean(posterior.r_hat[k] < MIXED),
        "variance_between_chains": mean(posterior.between_chains[k]),
        "acceptance": mean(posterior.acceptance[k]),
    }
