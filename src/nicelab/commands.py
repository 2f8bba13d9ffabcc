"""The command `nicelab`: a trained model at work on a user's own files."""

from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torchvision.utils import save_image

from nicelab import checkpoint
from nicelab.artifacts import require_writable, writing
from nicelab.cli import PATH
from nicelab.device import device_option, generator
from nicelab.errors import InputError
from nicelab.images import SIDE, bits_per_dim, dequantise
from nicelab.statistics import mean
from nicelab.training import log_likelihoods

FORMATS = {f".{name}": name for name in ("png", "gif", "bmp", "tiff", "webp")}

model_option = click.option(
    "--model",
    type=PATH,
    default="model/nice.safetensors",
    show_default=True,
    help="The trained weights.",
)
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)


@click.group()
def main() -> None:
    """Use a trained NICE. The pipeline itself is run with `dvc repro`."""


@main.command()
@click.option("--count", type=click.IntRange(1, 10_000), default=64, show_default=True)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Factor of the latents: below 1 for likelier images.",
)
@click.option("--out", type=PATH, required=True, help=f"The picture: {', '.join(FORMATS)}.")
@seed_option
@model_option
@device_option
def sample(
    count: int, temperature: float, out: Path, seed: int, model: Path, device: torch.device
) -> None:
    """Draw images and save them side by side as one picture."""
    if out.suffix.lower() not in FORMATS:
        raise InputError(f"--out must end in {', '.join(FORMATS)}, got {out}")
    require_writable(out)
    flow, _ = checkpoint.load(model, device)
    images = flow.sample(count, generator(seed, "samples", device=device), temperature)
    with writing(out) as temporary, temporary.open("wb") as file:
        save_image(
            images.view(-1, 1, SIDE, SIDE).clamp(0, 1),
            file,
            format=FORMATS[out.suffix.lower()],
            nrow=int(np.ceil(np.sqrt(count))),
            padding=2 if count > 1 else 0,
            pad_value=1.0,
        )


@main.command("log-prob")
@click.argument("images", type=PATH, nargs=-1, required=True)
@click.option(
    "--draws",
    type=click.IntRange(2, 100_000),
    default=100,
    show_default=True,
    help="Dequantisations of each image.",
)
@seed_option
@model_option
@device_option
def log_prob(
    images: tuple[Path, ...], draws: int, seed: int, model: Path, device: torch.device
) -> None:
    """Log-likelihood of grey images of 28 × 28 pixels, white on black like MNIST.

    Prints a line per image, with tabs: its name, nats, their standard error over noise draws, and
    bits per dimension.
    """
    levels = {path: read_levels(path) for path in images}
    flow, _ = checkpoint.load(model, device)
    click.echo("image\tlog_likelihood\tstandard_error\tbits_per_dim")
    for path, pixels in levels.items():
        noise = generator(seed, "noise", device=device)
        x = dequantise(pixels.to(device).expand(draws, -1), noise)
        nats = mean(log_likelihoods(flow, x).cpu())
        bits = bits_per_dim(nats.value)
        click.echo(f"{path}\t{nats.value:.2f}\t{nats.standard_error:.2f}\t{bits:.4f}")


def read_levels(path: Path) -> torch.Tensor:
    """Grey levels of a picture in any common format, shape (784,), dtype uint8.

    Raises:
        InputError: the file is missing, no picture, or has another size.
    """
    try:
        with Image.open(path) as picture:
            levels = np.array(picture.convert("L"))
    except UnidentifiedImageError:
        raise InputError(f"{path} is not a picture in a known format, such as PNG") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    if levels.shape != (SIDE, SIDE):
        height, width = levels.shape
        raise InputError(
            f"{path} must be {SIDE} × {SIDE} pixels, got {width} × {height}: scale or crop it"
        )
    return torch.from_numpy(levels).flatten()
