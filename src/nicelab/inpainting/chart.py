"""Where ascents move: the flow's coordinates, in which a pixel has one scale from end to end."""

import torch
from torch import Tensor

from nicelab.flows.flow import Flow


class Chart:
    """A flow's coordinates, moved and stretched so that black is 0 and white is 1.

    A flow that makes the noise of black pixels normal has a density of pixels that jumps, and
    gradients that are a hundred times larger at the ends of the black level than in its middle.
    Neither a step nor a tolerance fits both. If a flow's coordinates are the pixels, so is this.

    Args:
        model: the flow.
    """

    def __init__(self, model: Flow) -> None:
        self._model = model
        ends = torch.zeros(2, model.dimensions, dtype=model.dtype, device=model.device)
        ends[1] = 1.0
        self._black, white = model.coordinates(ends)
        self._span = white - self._black

    def to(self, x: Tensor) -> Tensor:
        """Pixels (*, D) as they lie here."""
        return (self._model.coordinates(x) - self._black) / self._span

    def back(self, v: Tensor) -> Tensor:
        """The pixels that lie at v, shape (*, D)."""
        return self._model.at_coordinates(self._black + self._span * v)

    def log_prob(self, v: Tensor) -> Tensor:
        """Log density of the flow's coordinates at v in nats, (*)."""
        return self._model.log_prob_of_coordinates(self._black + self._span * v)
