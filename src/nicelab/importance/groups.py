"""Estimators whose paths depend on one another: independent groups of them have an error."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.threads import concurrently
from nicelab.pipeline.params import Section


class Splitting(Section):
    """Levels on the way, independent groups of the paths, and when a group's paths are copied.

    Args:
        levels: of splitting with fixed effort.
        groups: into which the paths are divided.
        killed: share of a group that adaptive splitting replaces at a time.
        effective: share of a particle filter's effective sample size at which it resamples.
        replicates: of the whole estimate, from which its error and coverage are.
    """

    levels: Annotated[int, Field(ge=1, le=1000)]
    groups: Annotated[int, Field(ge=2)]
    killed: Annotated[float, Field(gt=0, lt=1)]
    effective: Annotated[float, Field(gt=0, le=1)]
    replicates: Annotated[int, Field(ge=20, le=1_000_000)]


# Of the problem, the constants, the paths of a group, the number of groups and their draws:
# estimates and numbers of plays, float64, shape (groups,) each.
Groups = Callable[[Gambler, Splitting, int, int, Draws], tuple[np.ndarray, np.ndarray]]


def in_groups(
    one: Callable[[np.random.Generator], tuple[float, int]], groups: int, draws: Draws
) -> tuple[np.ndarray, np.ndarray]:
    """What each group finds with random numbers of its own; threads and processes share them.

    Args:
        one: of a group's random numbers, its estimate and number of plays.
        groups: how many.
        draws: the random numbers of all.

    Returns:
        Estimates and numbers of plays, float64, shape (groups,) each.
    """
    found = list(concurrently(lambda group: one(draws.stream(group)), draws.mine(groups)))
    columns = torch.tensor(found, dtype=torch.float64).reshape(-1, 2).T
    estimates, plays = (draws.ranks.merge(column, groups).numpy() for column in columns)
    return estimates, plays
