"""AdamW for weights that multiply as bfloat16, on a processor.

Mixed precision keeps float32 weights beside the bfloat16 ones that multiply (Micikevicius et al.,
2018, section 3.1), and casts them at every step. Here a weight is stored once, in two halves: its
bits, read as a whole number, are

    w = 2¹⁶ · upper + lower,   −2¹⁵ ≤ lower < 2¹⁵,

and the upper half is w rounded to bfloat16. The model's parameters are the upper halves, so that
nothing is cast; the optimiser adds its small steps to both, so that nothing is lost. It runs as
soon as the backward pass has a weight's gradient, which is then still in the processor's cache.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numba import get_num_threads, njit, prange, set_num_threads
from torch import Tensor, nn
from torch.optim import AdamW

CHUNK = 16384  # weights that a thread updates in one go


def halve(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Upper half (bfloat16) and lower half (int16) of a float32 tensor, in its shape."""
    bits = weight.detach().view(torch.int32)
    upper = ((bits + 0x8000) >> 16).to(torch.int16).view(torch.bfloat16)
    return upper, bits.to(torch.int16)


def join(upper: Tensor, lower: Tensor) -> Tensor:
    """The float32 tensor of these halves."""
    return ((upper.view(torch.int16).int() << 16) + lower.int()).view(torch.float32)


class HalvedWeights:
    """Parameters in halves, and AdamW's moments of them; the first moment is bfloat16.

    Making one turns the parameters into their upper halves; from then on each backward pass also
    takes the optimiser's step.

    Args:
        weights: float32 parameters; without any, nothing here does anything.
        optimiser: whose parameter groups have them, and whose rates, decay and other constants
            hold at each step. It never sees a gradient of these weights.
    """

    def __init__(self, weights: Iterable[nn.Parameter], optimiser: AdamW) -> None:
        set_num_threads(min(torch.get_num_threads(), get_num_threads()))
        groups = enumerate(optimiser.param_groups)
        place = {weight: index for index, group in groups for weight in group["params"]}
        self._halved = {w: _Halved(w, optimiser, place[w]) for w in weights}

    def whole(self, weight: Tensor) -> Tensor:
        """A copy of a parameter in float32, whether it is in halves or not."""
        halved = self._halved.get(weight)
        return weight.detach().clone() if halved is None else join(weight.detach(), halved.lower)

    def end(self) -> None:
        """Make the parameters whole again; no backward pass takes a step any more."""
        for weight, halved in self._halved.items():
            halved.hook.remove()
            weight.data = self.whole(weight)
        self._halved = {}

    def state_dict(self) -> list[dict[str, Any]]:
        """All that is not in the parameters."""
        return [halved.state_dict() for halved in self._halved.values()]

    def load_state_dict(self, state: list[dict[str, Any]]) -> None:
        """Go on from such a state."""
        for halved, kept in zip(self._halved.values(), state, strict=True):
            halved.load_state_dict(kept)


def multiplied(model: nn.Module) -> Iterator[nn.Parameter]:
    """The weights and biases of linear layers, which autocast takes as bfloat16."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            yield from module.parameters()


class _Halved:
    """One parameter: its lower half, its moments, its steps so far.

    It asks the optimiser for its group at each step: loading a state makes other dictionaries.
    """

    def __init__(self, weight: nn.Parameter, optimiser: AdamW, group: int) -> None:
        self._optimiser, self._group = optimiser, group
        weight.data, self.lower = halve(weight)
        self._mean = torch.zeros_like(weight, dtype=torch.bfloat16)
        self._square = torch.zeros_like(weight, dtype=torch.float32)
        self._steps = 0
        self.hook = weight.register_post_accumulate_grad_hook(self._step)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self._steps, **self._tensors()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, tensor in self._tensors().items():
            tensor.copy_(state[name])
        self._steps = state["steps"]

    def _tensors(self) -> dict[str, Tensor]:
        return {"lower": self.lower, "mean": self._mean, "square": self._square}

    @torch.no_grad()
    def _step(self, weight: Tensor) -> None:
        """Take a step and let go of the gradient."""
        self._steps += 1
        group = self._optimiser.param_groups[self._group]
        beta1, beta2 = group["betas"]
        rate = group["lr"] / (1 - beta1**self._steps)
        root = 1 / math.sqrt(1 - beta2**self._steps)
        keep = 1 - group["lr"] * group["weight_decay"]
        constants = (rate, beta1, beta2, root, group["eps"], keep)
        _ascend(
            *(_flat(tensor) for tensor in (weight, self.lower, self._mean, weight.grad)),
            _flat(self._square),
            *(np.float32(constant) for constant in constants),
        )
        weight.grad = None


def _flat(tensor: Tensor) -> np.ndarray:
    """The same memory as numbers that NumPy knows: bfloat16 as its bits, uint16."""
    tensor = tensor.detach().view(-1)
    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


@njit(inline="always")
def _float32(bits: int) -> float:
    """The number whose upper 16 bits are these."""
    return np.uint32(np.uint32(bits) << np.uint32(16)).view(np.float32)


@njit(inline="always")
def _upper(bits: int) -> int:
    """Upper half of 32 bits, rounded to the nearest."""
    return np.uint16(np.uint32(bits + np.uint32(0x8000)) >> np.uint32(16))


@njit(parallel=True, cache=True, fastmath={"contract", "arcp"}, error_model="numpy")
def _ascend(
    upper: np.ndarray,
    lower: np.ndarray,
    mean: np.ndarray,
    gradient: np.ndarray,
    square: np.ndarray,
    rate: float,
    beta1: float,
    beta2: float,
    root: float,
    epsilon: float,
    keep: float,
) -> None:
    """One step of AdamW (Loshchilov and Hutter, 2019, algorithm 2), in place."""
    rest1, rest2 = np.float32(1) - beta1, np.float32(1) - beta2
    for chunk in prange((upper.size + CHUNK - 1) // CHUNK):
        part = slice(chunk * CHUNK, min((chunk + 1) * CHUNK, upper.size))
        u, w, m, g, v = upper[part], lower[part], mean[part], gradient[part], square[part]
        for i in range(u.size):
            slope = _float32(g[i])
            first = beta1 * _float32(m[i]) + rest1 * slope
            second = beta2 * v[i] + rest2 * slope * slope
            bits = np.uint32(np.uint32(np.uint32(u[i]) << np.uint32(16)) + np.uint32(w[i]))
            weight = bits.view(np.float32) * keep
            weight -= rate * first / (np.float32(np.sqrt(second)) * root + epsilon)
            bits = np.float32(weight).view(np.uint32)
            u[i], w[i] = _upper(bits), np.int16(bits & np.uint32(0xFFFF))
            m[i], v[i] = _upper(np.float32(first).view(np.uint32)), second
