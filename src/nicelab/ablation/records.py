"""What the ablation finds: the arrays that its stage writes and its figure reads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from nicelab.records import Record, key


@dataclass(frozen=True)
class Ablation(Record):
    """Validation log-likelihood in nats of every training of each rung, (trainings,)."""

    nats: dict[str, Float64[np.ndarray, " _"]] = key("nats_{}")
