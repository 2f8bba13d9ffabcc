"""What float32 on a device finds, beside float64 on the processor, for a trained model.

    python benchmarks/agreement.py data/images.npz model/nice.safetensors

Both have the same images, momenta and weights. Printed as Markdown; fails if a difference exceeds
its tolerance. Each is the largest over images; those of vectors are relative to their length.
"""

import copy
from collections.abc import Callable
from pathlib import Path

import click
import torch
from torch import Tensor

from nicelab.flows import checkpoint
from nicelab.flows.flow import Flow
from nicelab.images.levels import dequantise
from nicelab.images.records import ImageSet
from nicelab.inpainting.ascent import Climb
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.density import gradient, score
from nicelab.inpainting.hmc import Hmc
from nicelab.inpainting.rules import FixedStep
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record
from nicelab.streams import generator

SPREAD = 1e-3  # of a pixel: on this scale trajectories move, and ascents by its square

Measure = Callable[[Flow, Tensor, Tensor], Tensor]  # of a flow, images and momenta, (n, D)


def likelihood(flow: Flow, x: Tensor, momentum: Tensor) -> Tensor:
    """Log p, shape (n, 1)."""
    return flow.log_likelihoods(x)[:, None]


@torch.no_grad()
def there_and_back(flow: Flow, x: Tensor, momentum: Tensor) -> Tensor:
    """The images again."""
    return flow.inverse(flow(x)[0])


def slope(flow: Flow, x: Tensor, momentum: Tensor) -> Tensor:
    """∇ log p."""
    return gradient(flow.log_prob, x)[1]


def ascent(flow: Flow, x: Tensor, momentum: Tensor) -> Tensor:
    """How far a step of the ascent moves the pixels of the upper half."""
    hidden = torch.arange(x.shape[1], device=x.device) < x.shape[1] // 2
    corrupted = Corrupted.hide(x, hidden[None])
    climb = Climb(flow.log_prob, torch.full_like(x[0], SPREAD))
    *_, last = climb.ascend(corrupted, x[None], FixedStep(SPREAD**2), 1)
    return last.x[0] - x


def trajectory(flow: Flow, x: Tensor, momentum: Tensor) -> Tensor:
    """How far a trajectory of five steps goes, where the mass is that of `SPREAD`."""
    hmc, field = (
        Hmc(leapfrog=5, warm_up=0, draws=1, step_size=0.3),
        score(flow.log_prob, "float32"),
    )
    begin = x[None], field(x)[None], momentum[None]
    a = SPREAD * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)[None]
    step = torch.full_like(momentum[None, :, :1], hmc.step_size)
    return hmc._travel(field, begin, step, a)[0][0] - x


def apart(found: Tensor, exact: Tensor) -> Tensor:
    """Largest distance in any entry."""
    return (found - exact).abs().max()


def relatively(found: Tensor, exact: Tensor) -> Tensor:
    """Largest distance relative to the exact vector."""
    return ((found - exact).norm(dim=-1) / exact.norm(dim=-1)).max()


CLAIMS: dict[str, tuple[Measure, Callable[[Tensor, Tensor], Tensor], float]] = {
    "log-likelihood (nats)": (likelihood, apart, 0.1),
    "inverse of forward (grey)": (there_and_back, apart, 1e-4),
    "gradient": (slope, relatively, 1e-3),
    "step of ascent": (ascent, relatively, 1e-2),
    "trajectory": (trajectory, relatively, 1e-2),
}


@click.command()
@click.argument("images", type=click.Path(path_type=Path))
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--count", default=1000, show_default=True, help="Test images.")
@device_option
def main(images: Path, model: Path, count: int, device: torch.device) -> None:
    """Compare float32 on a device with float64 on the processor."""
    flow, _ = checkpoint.load(model, device)
    exact_flow = copy.deepcopy(flow).to("cpu", torch.float64)
    pixels = torch.from_numpy(read_record(images, ImageSet).test_pixels[:count])
    x = dequantise(pixels, generator(0, "agreement"))
    momentum = torch.randn(x.shape, generator=generator(0, "momentum"))
    click.echo(f"{len(x)} images, {device.type}, torch {torch.__version__}\n")
    click.echo("| | largest difference | tolerance |\n| --- | --- | --- |")
    too_far = []
    for name, (measure, distance, tolerance) in CLAIMS.items():
        found = measure(flow, x.to(device), momentum.to(device)).cpu().double()
        off = float(distance(found, measure(exact_flow, x.double(), momentum.double())))
        click.echo(f"| {name} | {off:.1e} | {tolerance:g} |")
        if not off <= tolerance:
            too_far.append(name)
    if too_far:
        raise click.ClickException(f"beyond its tolerance: {', '.join(too_far)}")


if __name__ == "__main__":
    main()
