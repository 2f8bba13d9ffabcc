"""Draw completions from the model's conditional density."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.images.levels import scale
from nicelab.inpainting.hmc_study import Chains, study
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_arrays, require_writable, write_arrays
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load


@click.command()
@click.argument("images", type=PATH)
@click.argument("problems", type=PATH)
@click.argument("model", type=PATH)
@output("--arrays", "moments and draws (.npz)")
@device_option
@params_option
def main(
    images: Path, problems: Path, model: Path, arrays: Path, device: torch.device, params: Path
) -> None:
    """Chains over the hidden pixels of PROBLEMS; they start from the Gaussian fitted to IMAGES."""
    require_writable(arrays)
    config = load(params, "posterior", Chains)
    training = scale(read_arrays(images, "training_pixels")["training_pixels"])
    given = read_arrays(problems, "images", "hidden", "picture")
    flow, _ = checkpoint.load(model, device)
    grey, originals, hidden = (
        torch.from_numpy(array).to(device)
        for array in (training, given["images"], given["hidden"])
    )
    write_arrays(arrays, **study(flow, grey, originals, hidden, int(given["picture"]), config))


if __name__ == "__main__":
    main()
