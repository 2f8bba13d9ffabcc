"""The parameters of the importance-sampling study."""

from typing import Annotated

from pydantic import Field

from nicelab.importance.cross_entropy import CrossEntropy
from nicelab.importance.gambler import Gambler, Probability
from nicelab.importance.intervals import Replicates
from nicelab.importance.splitting import Splitting


class Importance(Gambler):
    """The gambler, the sheet's proposal and the number of paths."""

    q: Probability
    paths: Annotated[int, Field(ge=2, le=1_000_000_000)]
    shown: Annotated[int, Field(ge=0, le=1000)]
    defensive: Probability
    cross_entropy: CrossEntropy
    splitting: Splitting
    coverage: Replicates
    seed: Annotated[int, Field(ge=0)]
