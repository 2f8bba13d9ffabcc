"""What the study of the tandem queue finds: arrays that its stage writes and its figure reads."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float64, Int64

from nicelab.records import GAPS, Record, key


@dataclass(frozen=True)
class Growth(Record):
    """The cost of one estimator in one regime, for every number N of customers, (sizes,) each.

    Args:
        log10_work: log₁₀ of the exact jumps for a relative error of 1: relative variance of a path
            times its expected jumps; −∞ where it has no variance, ∞ where an infinite one, NaN
            where it is not known.
        observed: the same, of simulated paths; NaN where none are drawn or none reached N.
        error: standard errors of that.
    """

    log10_work: Annotated[Float64[np.ndarray, " sizes"], GAPS]
    observed: Annotated[Float64[np.ndarray, " sizes"], GAPS]
    error: Annotated[Float64[np.ndarray, " sizes"], GAPS]


@dataclass(frozen=True)
class TandemRecord(Record):
    """By regime and estimator, as `name` puts them together.

    Args:
        size: numbers N of customers, (sizes,).
        growth: of every estimator in every regime.
    """

    size: Int64[np.ndarray, " sizes"]
    growth: dict[str, Growth] = key("{}")


def name(regime: str, estimator: str) -> str:
    """Of the growth of an estimator in a regime."""
    return f"{regime}_{estimator}"
