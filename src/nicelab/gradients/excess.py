"""How far above a minimum independent runs of descent are, and which of them went elsewhere.

The excess is that of the exact loss over the minimum that exact descent reaches from the start.
Another minimum may lie lower or higher, so a run that ends nearest to another one, or nowhere, is
not averaged with the others: it is astray, and the share of such runs is stated. Means are over
the runs that stay, which makes them conditional where that share is not 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from nicelab.errors import InputError
from nicelab.gradients import objective
from nicelab.gradients.descent import nearest
from nicelab.gradients.repetitions import mean_of
from nicelab.statistics import Estimate, mean


@dataclass(frozen=True)
class Excess:
    """Of every run the excess loss, (kept, rates, seeds), and whether it is astray at the end.

    Args:
        loss: above that of the minimum.
        astray: (rates, seeds).
    """

    loss: np.ndarray
    astray: np.ndarray

    @classmethod
    def of(cls, points: Tensor, home: int) -> "Excess":
        """Of points (kept, rates, seeds, 2), above the minimum of this index."""
        minima = objective.minima(points)
        loss = objective.value(points) - objective.value(minima[home])
        lost = ~(points[-1].isfinite().all(-1) & loss[-1].isfinite())
        astray = lost | (nearest(points[-1], minima) != home)
        return cls(loss.cpu().numpy(), astray.cpu().numpy())

    def best(self) -> int:
        """The step size that the first half of the seeds chooses.

        That from which fewest runs go astray, and of those the one with the least mean excess.
        """
        chosen = slice(self._half())
        excess = [self._end(k, chosen) for k in range(len(self.astray))]
        means = [np.inf if x is None else x.value for x in excess]
        return int(np.lexsort((means, self.astray[:, chosen].mean(-1)))[0])

    def reported(self, rate: int) -> Estimate | None:
        """The excess at the end over the other seeds, if two of their runs stay."""
        return self._end(rate, self._others())

    def share_astray(self, rate: int) -> Estimate:
        """Of the other seeds, how many runs end nearest to another minimum or nowhere."""
        return mean(self.astray[rate, self._others()])

    def curves(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean excess over the other seeds and its standard error, both (rates, kept)."""
        found = np.full((2, len(self.astray), len(self.loss)), np.nan)
        for k in range(len(self.astray)):
            stayed = self._stayed(k, self._others())
            if stayed.shape[1] > 1:
                means = [mean_of(x) for x in stayed]
                found[:, k] = [[m.value for m in means], [m.standard_error for m in means]]
        return found[0], found[1]

    def summary(self, rates: list[float], name: str) -> dict[str, Any]:
        """What was chosen and what it leaves, and the same of every step size, as metrics.

        Raises:
            InputError: with no step size do two runs stay.
        """
        best = self.best()
        each = [self._told(k) for k in range(len(rates))]
        if "excess_loss" not in each[best]:
            raise InputError(
                f"gradients.budget: {name} loses all runs but one with every step size: "
                f"add one below {min(rates):g}"
            )
        by_rate = {f"{rate:g}": told for rate, told in zip(rates, each, strict=True)}
        return {"learning_rate": rates[best], **each[best], "rates": by_rate}

    def _told(self, rate: int) -> dict[str, Estimate]:
        excess, share = self.reported(rate), {"share_astray": self.share_astray(rate)}
        return share if excess is None else {"excess_loss": excess, **share}

    def _end(self, rate: int, seeds: slice) -> Estimate | None:
        stayed = self._stayed(rate, seeds)[-1]
        return mean_of(stayed) if stayed.size > 1 else None

    def _stayed(self, rate: int, seeds: slice) -> np.ndarray:
        """Losses of the runs that are not astray, (kept, runs)."""
        return self.loss[:, rate, seeds][:, ~self.astray[rate, seeds]]

    def _others(self) -> slice:
        return slice(self._half(), None)

    def _half(self) -> int:
        return self.loss.shape[-1] // 2
