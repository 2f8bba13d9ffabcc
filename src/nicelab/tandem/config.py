"""Parameters of the study of the tandem queue."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from nicelab.pipeline.params import Section

LARGEST = 1000  # customers: half a million states, for whose equations three gigabytes are enough
ROUNDING = 1e-9  # of the sum of the rates

Rate = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]


class Rates(Section):
    """Of arrivals and of both servers, in units of their sum."""

    arrival: Rate
    first: Rate
    second: Rate

    @model_validator(mode="after")
    def _stable(self) -> Self:
        total = self.arrival + self.first + self.second
        if abs(total - 1) > ROUNDING:
            raise ValueError(f"arrival + first + second must be 1, got {total:.10g}")
        if not self.arrival < min(self.first, self.second):
            raise ValueError(
                f"arrival must be < first and < second, else the queues grow without end, "
                f"got {self.arrival:g}, {self.first:g} and {self.second:g}"
            )
        return self


class Levels(Section):
    """Splitting at every number of customers.

    Args:
        paths: that start from each level.
        groups: independent estimates.
        largest: number of customers for which it is done.
    """

    paths: Annotated[int, Field(ge=1, le=1_000_000)]
    groups: Annotated[int, Field(ge=2, le=1_000_000)]
    largest: Annotated[int, Field(ge=2)]


class Tandem(Section):
    """Rates, numbers of customers, the subsolution's mollifier, and how much is simulated."""

    regimes: Annotated[dict[Name, Rates], Field(min_length=1, max_length=4)]
    sizes: Annotated[list[Annotated[int, Field(ge=2, le=LARGEST)]], Field(min_length=2)]
    fit_from: Annotated[int, Field(ge=2)]
    mollifier: Annotated[float, Field(gt=0)]
    simulated: Annotated[int, Field(ge=2)]
    paths: Annotated[int, Field(ge=2, le=10_000_000)]
    splitting: Levels
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(a >= b for a, b in zip(self.sizes, self.sizes[1:], strict=False)):
            raise ValueError(f"sizes must increase, got {self.sizes}")
        if not self.mollifier < self.sizes[0]:
            raise ValueError(
                f"mollifier must be < the smallest size ({self.sizes[0]}), got {self.mollifier:g}"
            )
        if self.simulated < self.sizes[0]:
            raise ValueError(
                f"simulated must be >= the smallest size ({self.sizes[0]}), got {self.simulated}"
            )
        return self
