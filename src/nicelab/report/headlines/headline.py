"""What a headline is: a line of the table of results, and a number to compare commits by."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from nicelab.errors import InputError
from nicelab.formatting import estimate, number
from nicelab.report.tables.table import NONE
from nicelab.statistics import Estimate

AGREES = 3.0  # standard errors
LEAST_ERROR = 1e-18  # an error of nothing counts as this, so that it has a logarithm


class Row(NamedTuple):
    """One line of the table, as text."""

    quantity: str
    published: str
    ours: str
    exact: str
    published_agrees: str
    exact_agrees: str


@dataclass(frozen=True)
class Headline:
    """One result.

    In the metrics the first five decimals of a number say something, since DVC shows no more.

    Args:
        name: `study.path` in the metrics, with the unit.
        quantity: what it is, for a reader.
        ours: what we find, in the unit that a reader expects.
        published: what others found, as text.
        published_agrees: whether that is what we find.
        exact: the exact answer, as text.
        exact_agrees: whether ours is that.
        logarithm: the metrics hold log₁₀ of `ours`.
        form: of `ours` where it is exact.
    """

    name: str
    quantity: str
    ours: Estimate
    published: str = NONE
    published_agrees: str = NONE
    exact: str = NONE
    exact_agrees: str = NONE
    logarithm: bool = False
    form: str = ".6g"

    @property
    def row(self) -> Row:
        """The line of the table."""
        ours = self.ours
        return Row(
            self.quantity,
            self.published,
            estimate(ours) if ours.standard_error else number(ours.value, self.form),
            self.exact,
            self.published_agrees,
            self.exact_agrees,
        )

    @property
    def metric(self) -> dict[str, float]:
        """What stands in the metrics: the value and its standard error, 0 if it is exact.

        Raises:
            InputError: a number that is not positive has no logarithm.
        """
        if self.logarithm and self.ours.value <= 0:
            raise InputError(f"{self.name}: {self.ours.value} has no logarithm")
        shown = log10(self.ours) if self.logarithm else self.ours
        return {"value": shown.value, "standard_error": shown.standard_error}


def log10(ours: Estimate) -> Estimate:
    """The decimal logarithm of a positive number; its error by the delta method, s / (x ln 10)."""
    error = ours.standard_error / (ours.value * math.log(10))
    return Estimate(math.log10(ours.value), error, ours.n)


def at_least(error: float) -> Estimate:
    """An exact error that has a logarithm."""
    return Estimate.exact(max(error, LEAST_ERROR))


def sign(x: Estimate) -> Literal[1, -1, 0]:
    """Of a number that is more than `AGREES` standard errors from 0; else 0."""
    if abs(x.value) <= AGREES * x.standard_error:
        return 0
    return 1 if x.value > 0 else -1


def agreement(z: float) -> str:
    """Whether a distance in standard errors is what noise makes, and the distance."""
    return f"{'yes' if abs(z) < AGREES else 'no'} ({number(z, '+.1f')})"
