"""What the study of many dimensions finds: arrays that its stage writes and its figure reads."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float64, Int64

from nicelab.records import GAPS, Record, key


@dataclass(frozen=True)
class Growth(Record):
    """How the cost of one estimator grows on one objective.

    Args:
        size: numbers of dimensions d, (k,).
        work: evaluations of f for an error as large as the gradient, (k,).
        error: standard errors of that, (k,).
        exact: the same exactly, NaN where no formula is known, (k,).
    """

    size: Int64[np.ndarray, " sizes"]
    work: Float64[np.ndarray, " sizes"]
    error: Float64[np.ndarray, " sizes"]
    exact: Annotated[Float64[np.ndarray, " sizes"], GAPS]


@dataclass(frozen=True)
class DimensionsRecord(Record):
    """By objective and estimator, as `name` puts them together."""

    growth: dict[str, Growth] = key("{}")


def name(objective: str, estimator: str) -> str:
    """Of the growth of an estimator on an objective."""
    return f"{objective}_{estimator}"
