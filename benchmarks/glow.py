"""One training step of Glow, against two libraries and the rate of its own convolutions.

    make tmp/peers && PYTHONPATH=tmp/peers python benchmarks/glow.py

The architecture is that of params.yaml. In nflows it is the same map: with the same weights the
likelihoods are the same to 10⁻⁹ in float64, which is checked first. In normflows it is as its
users would write it, of the same layers; scales are not bounded there, and what is factored out
has learned means and deviations that do not depend on the rest. Both get our first layer. The
limit is the time of the convolutions of a step, forward and backward, with nothing between them:
shares are of that time. Printed as Markdown, ± one standard error over turns.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

import click
import nflows.transforms as nf
import normflows
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from clock import WARM_UP, Clock, recipe, seconds_of
from nicelab.flows import registry
from nicelab.flows.families.glow import Architecture, Glow
from nicelab.flows.families.glow.convolution import InvertibleConvolution
from nicelab.flows.families.glow.layers import LIMIT, AffineCoupling
from nicelab.flows.families.glow.normal import Normal
from nicelab.formatting import estimate
from nicelab.images.levels import dequantise
from nicelab.images.shapes import MNIST, PIXELS
from nicelab.likelihood.training import Run
from nicelab.machine.device import device_option
from nicelab.machine.precision import Choice, Precision, resolve
from nicelab.pipeline.options import params_option
from nicelab.statistics import mean
from nicelab.streams import generator
from throughput import peer_step


class Coupling(nf.AffineCouplingTransform):
    """An affine coupling on the second half of the channels, with our bound of its scales."""

    def __init__(self, ours: AffineCoupling) -> None:
        kept, shifted = ours.halves
        convolutions = [layer for layer in ours.network if isinstance(layer, nn.Conv2d)]
        layers = []
        for layer in convolutions:
            size = layer.kernel_size[0]
            layers += [
                nn.Conv2d(layer.in_channels, layer.out_channels, size, padding=size // 2),
                nn.ReLU(),
            ]
        super().__init__([0] * kept + [1] * shifted, lambda a, b: _Contextless(*layers[:-1]))

    def _scale_and_shift(self, transform_params: Tensor) -> tuple[Tensor, Tensor]:
        shift, s = transform_params.chunk(2, dim=1)
        return torch.exp(LIMIT * torch.tanh(s / LIMIT)), shift


class _Contextless(nn.Sequential):
    """A network as nflows calls it, with a context that may be None."""

    def forward(self, x: Tensor, context: None = None) -> Tensor:
        return super().forward(x)


class WithNflows(nn.Module):
    """The same map of nflows' layers.

    Args:
        model: ours, for its shapes and its first layer.
    """

    def __init__(self, model: Glow) -> None:
        super().__init__()
        self.black = model.black
        self.levels = nf.MultiscaleCompositeTransform(len(model.levels))
        for level in model.levels:
            layers: list[nf.Transform] = [nf.SqueezeTransform()]
            for step in level.steps:
                channels = step.couple.halves[0] + step.couple.halves[1]
                layers += [
                    nf.ActNorm(channels),
                    nf.OneByOneConvolution(channels, identity_init=False),
                    Coupling(step.couple),
                ]
            if isinstance(level.leave, AffineCoupling):
                kept = channels // 2
                halves = torch.arange(channels).roll(kept)  # here the first half leaves
                layers += [Coupling(level.leave), nf.Permutation(halves)]
            side = level.going_on[1]
            self.levels.add_transform(nf.CompositeTransform(layers), (channels, side, side))
        self.last = nf.ActNorm(model.levels[-1].leaving)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of a batch (n, 784), shape (n,)."""
        u, slopes = self.black(x)
        z, ladj = self.levels(u.view(-1, *MNIST))
        count = self.last.shift.numel()
        end, more = self.last(z[:, -count:])
        z = torch.cat([z[:, :-count], end], dim=1)
        return Normal().log_prob(z).sum(-1) + ladj + more + slopes.sum(-1)


class WithNormflows(nn.Module):
    """The same layers as normflows' example writes them.

    Args:
        model: ours, for its shapes and its first layer.
    """

    def __init__(self, model: Glow) -> None:
        super().__init__()
        self.black = model.black
        base, flows = [], []
        for level in reversed(model.levels):
            couple = level.steps[0].couple
            width = couple.network[0].out_channels
            channels = sum(couple.halves)
            blocks = [
                normflows.flows.GlowBlock(channels, width, scale_map="exp") for _ in level.steps
            ]
            flows.append([*blocks, normflows.flows.Squeeze()])
            side = level.going_on[1]
            base.append(
                normflows.distributions.DiagGaussian((level.leaving // side**2, side, side))
            )
        merges = [normflows.flows.Merge() for _ in base[1:]]
        self.flow = normflows.MultiscaleFlow(base, flows, merges, class_cond=False)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of a batch (n, 784), shape (n,)."""
        u, slopes = self.black(x)
        return self.flow.log_prob(u.view(-1, *MNIST), None) + slopes.sum(-1)


@torch.no_grad()
def require_the_same(architecture: Architecture) -> None:
    """Check that nflows gives the likelihoods of ours with the same weights.

    Raises:
        ValueError: it is another map.
    """
    random = generator(0)
    model = Glow(MNIST, architecture).double()
    levels = torch.randint(0, 256, (300, PIXELS), generator=random)
    levels *= torch.rand(levels.shape, generator=random) < 0.3  # the others are black
    model.initialise(levels.to(torch.uint8), random)
    for layer in model.modules():
        if isinstance(layer, InvertibleConvolution):
            _as_there(layer)
    for weight in model.parameters():
        weight.add_(0.01 * torch.randn(weight.shape, generator=random, dtype=weight.dtype))
    other = WithNflows(model).double()
    for level, theirs in zip(model.levels, other.levels._transforms, strict=True):  # noqa: SLF001
        _, *layers = theirs._transforms  # noqa: SLF001
        for k, step in enumerate(level.steps):
            _copy_step(step, *layers[3 * k : 3 * k + 3])
        if isinstance(level.leave, AffineCoupling):
            _copy_coupling(level.leave, layers[-2])
    leave = model.levels[-1].leave
    _copy_normalisation(leave, other.last)
    x = dequantise(levels[:9].to(torch.uint8), random).double()
    found, expected = other.log_prob(x), model.log_prob(x)
    if not torch.allclose(found, expected, rtol=1e-9, atol=1e-9):
        raise ValueError(f"the flows differ by {float((found - expected).abs().max())} nats")


def _as_there(layer: InvertibleConvolution) -> None:
    """The identity; there the permutation comes before the factors, and no sign is negative."""
    layer.P.copy_(torch.eye(len(layer.P)))
    layer.sign.fill_(1)
    for factor in layer.parameters():
        factor.zero_()


def _copy_step(step: nn.Module, norm: nf.ActNorm, mix: nf.Transform, couple: Coupling) -> None:
    (ours,) = step.mix
    mix.permutation = nf.Permutation(torch.arange(len(ours.P)))
    _copy_normalisation(step.normalise, norm)
    mix.lower_entries.copy_(ours.L[mix.lower_indices])
    mix.upper_entries.copy_(ours.U[mix.upper_indices])
    mix.unconstrained_upper_diag.copy_((ours.log_s.exp() - mix.eps).expm1().log())
    _copy_coupling(step.couple, couple)


def _copy_normalisation(ours: nn.Module, norm: nf.ActNorm) -> None:
    norm.log_scale.copy_(ours.s.flatten())
    norm.shift.copy_((ours.s.exp() * ours.b).flatten())
    norm.initialized.fill_(True)


def _copy_coupling(ours: AffineCoupling, other: Coupling) -> None:
    pairs = [
        [layer for layer in network if isinstance(layer, nn.Conv2d)]
        for network in (ours.network, other.transform_net)
    ]
    for one, two in zip(*pairs, strict=True):
        two.load_state_dict(one.state_dict())
    for weight in (two.weight, two.bias):  # log-scales first, here; shifts first, there
        weight.copy_(weight.roll(len(weight) // 2, 0))


def convolutions(model: Glow, batch: int, dtype: torch.dtype) -> Callable[[], None]:
    """The convolutions of a step, forward and backward, and nothing else."""
    work = []
    for level in model.levels:
        side, device = level.going_on[1], model.device
        for layer in level.modules():
            if isinstance(layer, nn.Conv2d):
                sizes = (batch, layer.in_channels, side, side), layer.weight.shape
                sizes = (*sizes, (batch, layer.out_channels, side, side))
                tensors = [torch.randn(size, device=device).to(dtype) for size in sizes]
                work.append((*tensors, layer.padding))

    def step() -> None:
        for x, weight, slope, padding in work:
            x, weight = x.requires_grad_(), weight.requires_grad_()
            y = conv2d(x, weight, padding=padding)
            torch.autograd.grad(y, (x, weight), slope)

    return step


def our_step(model: Callable[[], Glow], pixels: Tensor, batch: int, precision: Precision) -> float:
    """Seconds of a step of `nicelab.likelihood.training.Run`, as the train stage calls it."""
    config, clock = recipe(batch, precision).model_copy(update={"clip": 1000.0}), Clock()
    Run(config, clock).train(model().to(pixels.device), pixels, pixels[:2])
    return clock.seconds()


@click.command()
@click.option("--batch", default=128, show_default=True)
@click.option("--steps", default=15, show_default=True, help="Timed steps in a turn.")
@click.option("--turns", type=click.IntRange(2), default=5, show_default=True)
@click.option(
    "--precision",
    type=click.Choice(get_args(Choice)),
    default="auto",
    show_default=True,
    help="Of nicelab's networks; the others run in float32, and in this one too.",
)
@device_option
@params_option
def main(
    batch: int, steps: int, turns: int, precision: Choice, device: torch.device, params: Path
) -> None:
    """Images per second of each code base; the share that the convolutions have of our step."""
    architecture, chosen = registry.architecture(params, "glow"), resolve(precision, device)
    require_the_same(architecture)
    model = partial(Glow, MNIST, architecture)
    levels = torch.randint(0, 256, (batch * (steps + WARM_UP), PIXELS), generator=generator(0))
    pixels = levels.to(device, torch.uint8)
    us = f"nicelab, {chosen}"
    runs = {us: partial(our_step, model, pixels, batch, chosen)}
    for how in dict.fromkeys(("float32", chosen)):
        for name, peer in {"nflows": WithNflows, "normflows": WithNormflows}.items():
            make = partial(lambda peer: peer(model()), peer)
            runs[f"{name}, {how}"] = partial(peer_step, make, pixels, batch, how)
    limit = convolutions(model().to(device), batch, getattr(torch, chosen))
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    shares = []
    for _ in range(turns):
        for name, run in runs.items():
            speeds[name].append(batch / run())
        shares.append(seconds_of(limit, device, 4) * speeds[us][-1] / batch)
    threads = torch.get_num_threads()
    click.echo(f"Batch {batch}, {device.type}, {threads} threads, torch {torch.__version__}\n")
    click.echo("| code | images/s | nicelab is faster by |\n| --- | --- | --- |")
    for name, values in speeds.items():
        ratio = "–" if name == us else estimate(mean(np.array(speeds[us]) / values))
        click.echo(f"| {name} | {estimate(mean(values))} | {ratio} |")
    click.echo(f"\nA step's convolutions take {estimate(mean(shares))} of the time of {us}.")


if __name__ == "__main__":
    main()
