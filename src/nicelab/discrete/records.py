"""What the study of discrete variables finds: arrays that a stage writes and a figure reads."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float64

from nicelab.records import GAPS, Record, Text, key


@dataclass(frozen=True)
class Judged(Record):
    """Every estimator on one problem.

    Args:
        work: evaluations of f for an error as large as the gradient, (estimators,).
        error: standard errors of that, (estimators,).
        exact: the same exactly, NaN where no formula is known, (estimators,).
        z_scores: of the mean's error in every component, NaN where the bit takes its rarer value
            too seldom for a test, (estimators, components).
        bounds: standard errors beyond which a component convicts an estimator of a bias,
            (estimators,).
    """

    work: Float64[np.ndarray, " estimators"]
    error: Float64[np.ndarray, " estimators"]
    exact: Annotated[Float64[np.ndarray, " estimators"], GAPS]
    z_scores: Annotated[Float64[np.ndarray, "estimators components"], GAPS]
    bounds: Float64[np.ndarray, " estimators"]

    def convicted(self) -> np.ndarray:
        """Whether a test convicts each estimator of a bias, (estimators,)."""
        return (np.abs(self.z_scores) > self.bounds[:, None]).any(1)


@dataclass(frozen=True)
class DiscreteRecord(Record):
    """By problem; estimators are in the order of `names`.

    Args:
        names: of the estimators.
        elbo: of the model before each step of its training and after the last, the mean over
            images in nats, (steps,).
        problems: by name.
    """

    names: Text[np.ndarray, " estimators"]
    elbo: Float64[np.ndarray, " steps"]
    problems: dict[str, Judged] = key("{}")
