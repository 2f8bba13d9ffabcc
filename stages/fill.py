"""Complete images without a flow."""

from pathlib import Path

import click
import torch
from tqdm import tqdm

from nicelab.images.levels import scale
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.fills import Filling, methods
from nicelab.pipeline.artifacts import read_arrays, require_writable, write_arrays
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load


@click.command()
@click.argument("images", type=PATH)
@click.argument("problems", type=PATH)
@output("--arrays", "the completions (.npz)")
@params_option
def main(images: Path, problems: Path, arrays: Path, params: Path) -> None:
    """Complete PROBLEMS by methods that know at most the training part of IMAGES."""
    require_writable(arrays)
    config = load(params, "fill", Filling)
    training = torch.from_numpy(scale(read_arrays(images, "training_pixels")["training_pixels"]))
    given = read_arrays(problems, "images", "hidden")
    corrupted = Corrupted.hide(*(torch.from_numpy(given[name]) for name in ("images", "hidden")))
    completions = {
        name: complete(corrupted).numpy()
        for name, complete in tqdm(methods(training, config.radius).items(), disable=None)
    }
    write_arrays(arrays, **completions)


if __name__ == "__main__":
    main()
