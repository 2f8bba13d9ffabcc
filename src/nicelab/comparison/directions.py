"""What is better of each metric, what repeats another, and what is rounding.

Names are patterns as in `fnmatch`; the first that fits counts.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

# Whether more is better (+1), less is better (−1), or neither (0).
DIRECTIONS: dict[str, int] = {
    # headlines
    "likelihood.gaussian.*": 0,
    "likelihood.*_log_likelihood": +1,
    "classifier.test_accuracy_percent": +1,
    "samples.log10_round_trip_error": -1,
    "inpainting.ascent.squared_error": -1,
    "inpainting.*.squared_error_less_gaussian": -1,
    "importance.*.exact_relative_error_percent": -1,
    "convolution.log10_largest_error": -1,
    # results; a likelihood of training images tells how much was learned by heart
    "likelihood.*.over_seeds.*": 0,
    "likelihood.*.gaussian.*": 0,
    "likelihood.*.validation.log_likelihood": +1,
    "likelihood.*.test.log_likelihood": +1,
    "classifier.test.accuracy": +1,
    "inpainting.*masks.*.squared_error": -1,  # not the sheet's, which is to be reproduced
    "inpainting.*masks.*.psnr": +1,
    "inpainting.*masks.*.ssim": +1,
    "inpainting.*masks.*.accuracy": +1,
    "importance.methods.cross_entropy*": 0,  # learned from paths: other paths, other proposals
    "importance.methods.learned.*": 0,
    "importance.methods.*.exact_relative_error": -1,
    "importance.methods.splitting_*.replicated.relative_error": -1,
    "importance.methods.particle_filter.replicated.relative_error": -1,
    "importance.methods.*.work": -1,
    "convolution.*.largest_absolute_error": -1,
    "gradients.estimators.*.exact_variance.*": -1,
    "gradients.estimators.*.work": -1,
    "samples.*.round_trip_error": -1,
    "*": 0,  # a description, an observed error, a diagnostic or an exact answer
}

# Metrics that say again what another says, in another unit or with another error: they get no
# verdict, so that nothing gets two.
REPEATS = (
    "likelihood.*bits_per_dim",  # of the log-likelihood
    "likelihood.*_over_draws",  # the same mean; its error is that of the noise on these images
    "training.*.validation.log_likelihood",  # of the likelihood, in the training's precision
    "inpainting.*masks.*.squared_error_less_gaussian",  # of the squared error
)

# Errors of a computation: at or below this they are rounding, however many times another they are.
ROUNDING: dict[str, float] = {
    "convolution.log10_largest_error": -9,  # of log-determinants of some hundred nats, in float64
    "convolution.*.largest_absolute_error": 1e-9,
    "samples.log10_round_trip_error": -5,  # of pixels in [0, 1], in float32
    "samples.*.round_trip_error": 1e-5,
    "importance.*.exact_relative_error*": 1e-6,  # of moments that differ by rounding alone
    "gradients.estimators.*.exact_variance.*": 1e-9,  # of gradients of the order of 1
    "gradients.estimators.*.work": 1e-9,
}


def direction(name: str) -> int:
    """Whether more (+1) or less (−1) of a metric is better, or neither (0)."""
    return 0 if repeats(name) else int(_first(DIRECTIONS, name, 0))


def repeats(name: str) -> bool:
    """Whether a metric says what another says."""
    return any(fnmatchcase(name, pattern) for pattern in REPEATS)


def rounding(name: str) -> float:
    """The level at or below which a metric is rounding; −∞ if there is none."""
    return _first(ROUNDING, name, float("-inf"))


def _first(patterns: Mapping[str, float], name: str, otherwise: float) -> float:
    return next((x for pattern, x in patterns.items() if fnmatchcase(name, pattern)), otherwise)
