"""Sufficient statistics that add up: what is left of samples that are not kept."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

import numpy as np

from nicelab.statistics import Estimate


@dataclass(frozen=True)
class Moments:
    """Number, mean, and sums of the second, third and fourth powers of the deviations from it."""

    n: float
    mean: float
    second: float
    third: float
    fourth: float

    @classmethod
    def of(cls, samples: np.ndarray) -> Self:
        """From samples, shape (n,)."""
        centre = samples.mean()
        powers = ((samples - centre) ** k for k in (2, 3, 4))
        return cls(samples.size, float(centre), *(float(x.sum()) for x in powers))

    @classmethod
    def merged(cls, parts: Sequence[Self]) -> Self:
        """Of all samples together (Chan, Golub and LeVeque, 1983; Pébay, 2008, equation 2.1)."""
        n, mean, second, third, fourth = np.array([astuple(part) for part in parts]).T
        centre = (n @ mean) / n.sum()
        d = mean - centre
        return cls(
            float(n.sum()),
            float(centre),
            float((second + n * d**2).sum()),
            float((third + 3 * d * second + n * d**3).sum()),
            float((fourth + 4 * d * third + 6 * d**2 * second + n * d**4).sum()),
        )

    def variance(self) -> float:
        """Sample variance."""
        return self.second / (self.n - 1)

    def estimate(self) -> Estimate:
        """The mean with its standard error."""
        return Estimate(self.mean, (self.variance() / self.n) ** 0.5, int(self.n))

    def relative_error(self) -> Estimate:
        """Relative error r = s / (√n x̄) of the mean, with its own standard error.

        The influence of a sample on r has the variance, by the delta method and with central
        moments m_k,

            r² [(m₄ / m₂² − 1) / 4 + m₂ / x̄² − m₃ / (m₂ x̄)] / n.
        """
        m2, m3, m4 = (x / self.n for x in (self.second, self.third, self.fourth))
        error = self.estimate()
        r = error.standard_error / self.mean
        spread = (m4 / m2**2 - 1) / 4 + m2 / self.mean**2 - m3 / (m2 * self.mean) if m2 else 0.0
        return Estimate(r, r * (max(spread, 0.0) / self.n) ** 0.5, error.n)

    def effective(self) -> float:
        """Effective sample size (Σ w)² / Σ w² of weights, Kish (1965)."""
        return self.n * self.mean**2 / (self.mean**2 + self.second / self.n)
