"""A trained model at work on a user's own files: `nicelab sample`, `log-prob` and `inpaint`."""

from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
import torch
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import save_image

import nicelab
from nicelab.errors import InputError
from nicelab.flows import checkpoint
from nicelab.flows.flow import Flow
from nicelab.flows.names import chosen
from nicelab.images.levels import LEVELS, bits_per_dim, centre, scale
from nicelab.images.pictures import read_levels
from nicelab.images.shapes import Shape
from nicelab.inpainting.ascent import State
from nicelab.inpainting.ascent_study import GREY, Ascending, Ours
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.gaussian import Gaussian
from nicelab.inpainting.masks import from_picture
from nicelab.inpainting.problems import Masking
from nicelab.machine.device import device_option
from nicelab.pipeline.files import require_writable, writing
from nicelab.pipeline.options import PATH
from nicelab.pipeline.params import load
from nicelab.streams import generator
from nicelab.teaching.models import log_likelihood, weights_of

DRAWS = 100  # dequantisations of an image
DEFAULTS = Path(nicelab.__file__).parent / "defaults" / "params.yaml"
FORMATS = {f".{name}": name for name in ("png", "gif", "bmp", "tiff", "webp")}


def parameters(_: click.Context, __: click.Parameter, params: Path | None) -> Path:
    """The parameter file that is given, else the project's, else the one of the package."""
    own = Path("params.yaml")
    return params or (own if own.exists() else DEFAULTS)


def weights(context: click.Context, option: click.Parameter, model: str | None) -> Path:
    """The file of a model that is given by its path, by its family, or not at all."""
    return weights_of(model or chosen(parameters(context, option, None))[0])


model_option = click.option(
    "--model",
    callback=weights,
    help="The trained weights: a file, or a family.  [default: the first family of params.yaml]",
)
params_option = click.option(
    "--params",
    type=PATH,
    callback=parameters,
    help="Parameter file.  [default: params.yaml, where there is none the package's own]",
)
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)


def picture_format(out: Path) -> str:
    """The format that the name of a picture asks for, once it is known that it can be written.

    Raises:
        InputError: the ending is unknown, or the file cannot be written.
    """
    if out.suffix.lower() not in FORMATS:
        raise InputError(f"--out must end in {', '.join(FORMATS)}, got {out}")
    require_writable(out)
    return FORMATS[out.suffix.lower()]


@click.command()
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
    form = picture_format(out)
    flow, header = checkpoint.load(model, device)
    images = flow.sample(count, generator(seed, "samples", device=device), temperature)
    with writing(out) as temporary, temporary.open("wb") as file:
        save_image(
            images.view(-1, *header["shape"]).clamp(0, 1),
            file,
            format=form,
            nrow=int(np.ceil(np.sqrt(count))),
            padding=2 if count > 1 else 0,
            pad_value=1.0,
        )


@click.command("log-prob")
@click.argument("images", type=PATH, nargs=-1, required=True)
@click.option(
    "--draws",
    type=click.IntRange(2, 100_000),
    default=DRAWS,
    show_default=True,
    help="Dequantisations of each image.",
)
@seed_option
@model_option
@device_option
def log_prob(
    images: tuple[Path, ...], draws: int, seed: int, model: Path, device: torch.device
) -> None:
    """Log-likelihood of pictures of the size that the model knows, white on black like MNIST.

    Prints a line per image, with tabs: its name, nats, their standard error over noise draws, and
    bits per dimension.
    """
    flow, header = checkpoint.load(model, device)
    levels = {str(path): read_levels(path, {header["shape"]}).flatten() for path in images}
    tell(flow, levels, draws, seed)


def tell(flow: Flow, images: Mapping[str, torch.Tensor], draws: int, seed: int) -> None:
    """Print the likelihood of images, levels (D,) by name, a line each."""
    click.echo("image\tlog_likelihood\tstandard_error\tbits_per_dim")
    for name, pixels in images.items():
        nats = log_likelihood(flow, pixels, draws, seed)
        bits = bits_per_dim(nats.value, flow.dimensions)
        click.echo(f"{name}\t{nats.value:.2f}\t{nats.standard_error:.2f}\t{bits:.4f}")


@click.command()
@click.argument("image", type=PATH)
@click.option(
    "--mask",
    required=True,
    help="A picture, white where pixels are hidden, or the name of a mask in the parameter file.",
)
@click.option("--out", type=PATH, required=True, help=f"The picture: {', '.join(FORMATS)}.")
@click.option(
    "--start",
    type=click.Choice(["gaussian", "grey"]),
    default="gaussian",
    show_default=True,
    help="Where the ascent begins: at the answer of a Gaussian like the model, or at grey.",
)
@click.option(
    "--steps", type=click.IntRange(1, 100_000), help="Default: those of the parameter file."
)
@params_option
@model_option
@device_option
def inpaint(
    image: Path,
    mask: str,
    out: Path,
    start: str,
    steps: int | None,
    params: Path,
    model: Path,
    device: torch.device,
) -> None:
    """Complete the hidden pixels of a picture of the size that the model knows.

    Ascends the model's likelihood as the stage `ascend` does, with its section of the parameter
    file; the other pixels keep their grey levels. Prints the likelihood of the image as given and
    as completed, as `nicelab log-prob` does.
    """
    form = picture_format(out)
    flow, header = checkpoint.load(model, device)
    shape = header["shape"]
    levels = read_levels(image, {shape}).flatten()
    hidden = read_mask(mask, params, shape)
    config = load(params, "ascend", Ascending)
    config = config.model_copy(update={"steps": steps or config.steps})
    given = centre(torch.from_numpy(scale(levels.numpy())))[None].to(device)
    found = complete(Ours(flow, config), Corrupted.hide(given, hidden[None].to(device)), start)
    completed = (found.x[0, 0].cpu() * LEVELS).floor().clamp(max=LEVELS - 1).to(torch.uint8)
    completed = torch.where(hidden, completed, levels)
    tell(flow, {str(image): levels, str(out): completed}, DRAWS, seed=0)
    picture = to_pil_image(completed.view(shape))
    with writing(out) as temporary, temporary.open("wb") as file:
        picture.save(file, format=form, lossless=True)


def complete(ours: Ours, corrupted: Corrupted, start: str) -> State:
    """The end of the ascent from grey, or from the answer of a Gaussian like the model."""
    begin = corrupted.fill(GREY)
    if start == "gaussian":
        begin = Gaussian.fit(ours.drawn.clamp(0, 1)).conditional_mean(corrupted)
    for state in ours.ascend(corrupted, begin, start):
        found = state
    return found


def read_mask(mask: str, params: Path, shape: Shape) -> torch.Tensor:
    """The hidden pixels of a picture, or of a mask by its name, shape (D,).

    Raises:
        InputError: it is neither, or cannot be used.
    """
    if Path(mask).suffix or Path(mask).exists():
        channels, height, width = shape
        return from_picture(Path(mask), height, width).expand(channels, -1, -1).flatten()
    masking = load(params, "mask", Masking)
    if mask not in masking.masks:
        known = ", ".join(masking.masks)
        raise InputError(f"--mask must be a picture or one of {known}, got {mask!r}")
    return masking.hidden(mask, params.parent / "masks", shape)[0]
