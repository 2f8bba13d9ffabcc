"""Numbers that print themselves with their error and the exact answer."""

from dataclasses import dataclass

from nicelab.formatting import estimate, number
from nicelab.statistics import Estimate


@dataclass(frozen=True, repr=False)
class Answer(Estimate):
    """An estimate that prints itself, and the exact answer if there is one.

    Args:
        value: the estimate.
        standard_error: its.
        n: number of samples.
        truth: what it estimates, where that is known.
        remark: what else there is to say.
    """

    truth: float | None = None
    remark: str = ""

    def __repr__(self) -> str:
        """As `(2.39 ± 0.07)×10⁻⁶ (exact: 2.38838×10⁻⁶)`."""
        exact = "" if self.truth is None else f" (exact: {number(self.truth, '.6g')})"
        return estimate(self) + exact + (f"; {self.remark}" if self.remark else "")
