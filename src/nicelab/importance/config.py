"""The parameters of the importance-sampling study."""

from typing import Annotated

from pydantic import Field

from nicelab.importance.cross_entropy import CrossEntropy
from nicelab.importance.gambler import Gambler, Probability
from nicelab.importance.groups import Splitting
from nicelab.importance.intervals import Replicates
from nicelab.pipeline.params import Section


class Rarer(Section):
    """Games with so many times the chips and the plays, for the growth of errors with rarity."""

    scales: Annotated[
        tuple[Annotated[float, Field(gt=0, le=100)], ...],
        Field(min_length=2, max_length=20, strict=False),
    ]


class Importance(Gambler):
    """The gambler, the sheet's proposal and the number of paths."""

    q: Probability
    paths: Annotated[int, Field(ge=2, le=1_000_000_000)]
    shown: Annotated[int, Field(ge=0, le=1000)]
    defensive: Probability
    cross_entropy: CrossEntropy
    splitting: Splitting
    rarer: Rarer
    coverage: Replicates
    seed: Annotated[int, Field(ge=0)]
