"""Parameters of the study of gradient estimators."""

from typing import Annotated, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from nicelab.gradients.elbo import Elbo
from nicelab.pipeline.params import Section


class Point(Section):
    """Parameters of the normal distribution."""

    mu: float
    sigma: Annotated[float, Field(gt=0)]

    @property
    def name(self) -> str:
        """As the metrics call it."""
        return f"mu={self.mu:g} sigma={self.sigma:g}"

    def tensor(self, device: torch.device | str = "cpu") -> Tensor:
        """(μ, log σ) in float64, shape (2,)."""
        mu, sigma = torch.tensor([self.mu, self.sigma], dtype=torch.float64, device=device)
        return torch.stack([mu, sigma.log()])


class Map(Section):
    """Part of the plane that is mapped, and the number of points along each axis."""

    mu: Annotated[list[float], Field(min_length=2, max_length=2)]
    sigma: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2, max_length=2)]
    size: Annotated[int, Field(ge=2, le=1000)]


class LongRun(Section):
    """SGD until it is stationary."""

    learning_rate: Annotated[float, Field(gt=0)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    seeds: Annotated[int, Field(ge=2, le=1_000_000)]


Rates = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]


class Grids(Section):
    """The step sizes that are tried with each optimiser."""

    sgd: Rates
    adam: Rates


class Budget(Section):
    """Descent at equal evaluations: how many, the step sizes that are tried, and seeds."""

    evaluations: Annotated[int, Field(ge=1, le=1_000_000_000)]
    learning_rates: Grids
    seeds: Annotated[int, Field(ge=4, le=1_000_000)]


Batch = Annotated[int, Field(ge=2, le=65_536)]


class Gradients(Section):
    """The sheet's run, how many seeds repeat it, and where bias and variance are measured."""

    start: Point
    learning_rate: Annotated[float, Field(gt=0)]
    batch: Batch
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    seeds: Annotated[int, Field(ge=2, le=1_000_000)]
    points: Annotated[list[Point], Field(min_length=1, max_length=100)]
    replicates: Annotated[int, Field(ge=2, le=10_000_000)]
    batches: Annotated[list[Batch], Field(min_length=2)]
    long_run: LongRun
    budget: Budget
    map: Map
    seed: Annotated[int, Field(ge=0)]
    elbo: Elbo

    @model_validator(mode="after")
    def _powers_of_two(self) -> Self:
        for name, batches in (("batch", [self.batch]), ("batches", self.batches)):
            for batch in batches:
                if batch & (batch - 1):
                    raise ValueError(
                        f"{name} must be powers of 2, as Sobol' noise needs, got {batch}"
                    )
        return self
