"""What the check of 1×1 convolutions finds: arrays that a stage writes and a figure reads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from nicelab.records import Record, key


@dataclass(frozen=True)
class Cases(Record):
    """Log-determinants in nats of the random cases of one claim, both of one shape, float64."""

    formula: Float64[np.ndarray, " *cases"]
    autograd: Float64[np.ndarray, " *cases"]


@dataclass(frozen=True)
class Claims(Record):
    """The cases of each claim: (cases,), but for `reshape`, with four layouts each, (cases, 4)."""

    cases: dict[str, Cases] = key("{}")
