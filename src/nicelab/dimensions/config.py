"""Parameters of the study of gradients in many dimensions."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from nicelab.gradients.config import Point
from nicelab.pipeline.params import Section

FEWEST = 20  # batches of an estimator, whatever they cost
LARGEST = 10_000  # dimensions


class Dimensions(Section):
    """Numbers of dimensions, the point of the separable objectives, and how much is sampled."""

    sizes: Annotated[list[Annotated[int, Field(ge=1, le=LARGEST)]], Field(min_length=2)]
    fit_from: Annotated[int, Field(ge=1)]
    point: Point
    batch: Annotated[int, Field(ge=2, le=4096)]
    replicates: Annotated[int, Field(ge=FEWEST, le=1_000_000)]
    evaluations: Annotated[int, Field(ge=1, le=100_000_000)]
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if any(a >= b for a, b in zip(self.sizes, self.sizes[1:], strict=False)):
            raise ValueError(f"sizes must increase, got {self.sizes}")
        return self

    def batches(self, evaluations: int) -> int:
        """How many batches are drawn of an estimator of so many evaluations a sample."""
        return max(FEWEST, min(self.replicates, self.evaluations // (self.batch * evaluations)))
