"""The same NICE in five code bases: ours, three libraries of flows, and the sheet's script.

Each has four additive couplings on interleaved halves, networks of five hidden layers, a diagonal
scaling and a logistic prior. `require_the_same` proves it: with the same weights all give the same
log-likelihood.
"""

from collections.abc import Callable

import nflows.transforms
import normflows
import torch
import torch.nn.functional as F
import zuko
from torch import Tensor, nn

from nicelab.flows.families.nice import NICE, Architecture
from nicelab.flows.families.nice.nice import MASK

WIDTH, HIDDEN, DEPTH, COUPLINGS = 784, 1000, 5, 4
ARCHITECTURE = Architecture(family="nice", couplings=COUPLINGS, hidden=HIDDEN, depth=DEPTH)
EVEN = torch.arange(WIDTH) % 2 == 0


class Flow(nn.Module):
    """A flow of some library under the one interface that the benchmark needs.

    Args:
        forward: log density of a batch (n, 784), shape (n,).
        parts: what holds its weights, couplings first, in their order.
    """

    def __init__(self, forward: Callable[[Tensor], Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.log_prob = forward


class Scale(nn.Module):
    """z = exp(s) ⊙ h, for libraries without such a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.s = nn.Parameter(torch.zeros(WIDTH))


def network(inputs: int, outputs: int) -> nn.Sequential:
    """The network of a coupling."""
    widths = [inputs] + DEPTH * [HIDDEN]
    layers = [
        part
        for a, b in zip(widths, widths[1:], strict=False)
        for part in (nn.Linear(a, b), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(HIDDEN, outputs))


def prior(z: Tensor) -> Tensor:
    """Log density of the standard logistic, summed, as each of the scripts would write it."""
    return -(F.softplus(z) + F.softplus(-z)).sum(-1)


def ours() -> Flow:
    """Our own flow."""
    model = NICE(WIDTH, ARCHITECTURE)
    return Flow(model.log_prob, model)


def with_zuko() -> Flow:
    """zuko: additive general couplings in a composed transform."""
    couplings = [
        zuko.flows.GeneralCouplingTransform(
            WIDTH,
            mask=EVEN if shifts == "odd" else ~EVEN,
            univariate=zuko.transforms.AdditiveTransform,
            shapes=[()],
            hidden_features=DEPTH * [HIDDEN],
        )
        for shifts in (MASK[k % 2] for k in range(COUPLINGS))
    ]
    scale = Scale()

    def log_prob(x: Tensor) -> Tensor:
        h, ladj = zuko.transforms.ComposedTransform(
            *(coupling() for coupling in couplings)
        ).call_and_ladj(x)
        return prior(scale.s.exp() * h) + ladj + scale.s.sum()

    return Flow(log_prob, *couplings, scale)


class _Contextless(nn.Sequential):
    """A network as nflows calls it, with a context that may be None."""

    def forward(self, x: Tensor, context: None = None) -> Tensor:
        return super().forward(x)


def with_nflows() -> Flow:
    """nflows: additive coupling transforms in a composite transform."""
    couplings = [
        nflows.transforms.AdditiveCouplingTransform(
            (EVEN if MASK[k % 2] == "even" else ~EVEN).int(),
            lambda a, b: _Contextless(*network(a, b)),
        )
        for k in range(COUPLINGS)
    ]
    transform, scale = nflows.transforms.CompositeTransform(couplings), Scale()

    def log_prob(x: Tensor) -> Tensor:
        h, ladj = transform(x)
        return prior(scale.s.exp() * h) + ladj + scale.s.sum()

    return Flow(log_prob, *couplings, scale)


def with_normflows() -> Flow:
    """normflows: affine couplings without scale; its blocks split by halves, not by parity.

    So the entries are reordered once, even ones first, and swapped between couplings.
    """
    blocks = [
        normflows.flows.AffineCouplingBlock(
            network(WIDTH // 2, WIDTH // 2),
            scale=False,
            split_mode="channel_inv" if MASK[k % 2] == "even" else "channel",
        )
        for k in range(COUPLINGS)
    ]
    scale = Scale()

    def log_prob(x: Tensor) -> Tensor:
        h = torch.cat([x[:, ::2], x[:, 1::2]], dim=1)
        ladj = x.new_zeros(len(x))
        for block in blocks:
            h, change = block(h)
            ladj = ladj + change
        s = torch.cat([scale.s[::2], scale.s[1::2]])
        return prior(s.exp() * h) + ladj + s.sum()

    return Flow(log_prob, *blocks, scale)


class SheetCoupling(nn.Module):
    """A coupling as the sheet's script does it: `mask_config` 1 shifts the even entries."""

    def __init__(self, mask_config: int) -> None:
        super().__init__()
        self.mask_config = mask_config
        self.in_block = nn.Sequential(nn.Linear(WIDTH // 2, HIDDEN), nn.ReLU())
        self.mid_block = nn.ModuleList(
            nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.ReLU()) for _ in range(DEPTH - 1)
        )
        self.out_block = nn.Linear(HIDDEN, WIDTH // 2)

    def forward(self, x: Tensor) -> Tensor:
        """The shifted entries, interleaved again, shape (n, 784)."""
        x = x.reshape(len(x), WIDTH // 2, 2)
        if self.mask_config:
            on, off = x[:, :, 0], x[:, :, 1]
        else:
            off, on = x[:, :, 0], x[:, :, 1]
        shift = self.in_block(off)
        for block in self.mid_block:
            shift = block(shift)
        on = on + self.out_block(shift)
        pair = (on, off) if self.mask_config else (off, on)
        return torch.stack(pair, dim=2).reshape(len(x), WIDTH)


def as_the_sheet() -> Flow:
    """The sheet's script, problem 3."""
    couplings, scale = [SheetCoupling((k + 1) % 2) for k in range(COUPLINGS)], Scale()

    def log_prob(x: Tensor) -> Tensor:
        for coupling in couplings:
            x = coupling(x)
        return prior(scale.s.exp() * x) + scale.s.sum()

    return Flow(log_prob, *couplings, scale)


PEERS = {
    "zuko": with_zuko,
    "nflows": with_nflows,
    "normflows": with_normflows,
    "the sheet": as_the_sheet,
}


@torch.no_grad()
def require_the_same(flow: Flow, reference: Flow) -> None:
    """Give a flow the reference's weights, and check that it has its likelihoods.

    Raises:
        ValueError: it is another model.
    """
    source, target = list(reference.parameters()), list(flow.parameters())
    source = source[1:] + source[:1]  # ours has its scaling first, the others last
    for a, b in zip(source, target, strict=True):
        b.copy_(a)
    x = torch.rand(5, WIDTH)
    if not torch.allclose(flow.log_prob(x).double(), reference.log_prob(x), rtol=1e-4):
        raise ValueError("the flows differ")
