"""Complete images without a flow."""

from pathlib import Path

import click
import torch

from nicelab.images import shapes
from nicelab.images.levels import scale
from nicelab.images.records import ImageSet
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.fills import Filling, fill_all
from nicelab.inpainting.records import Problems
from nicelab.pipeline.artifacts import read_record, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@click.argument("images", type=PATH)
@click.argument("problems", type=PATH)
@output("--arrays", "the completions (.npz)")
@params_option
def main(images: Path, problems: Path, arrays: Path, params: Path) -> None:
    """Complete PROBLEMS by methods that know at most the training part of IMAGES."""
    require_writable(arrays)
    config = load(params, "fill", Filling)
    training = torch.from_numpy(scale(read_record(images, ImageSet).training_pixels))
    given = read_record(problems, Problems)
    corrupted = Corrupted.hide(*map(torch.from_numpy, (given.images, given.hidden)))
    write_record(arrays, fill_all(training, corrupted, shapes.of(given.shape), config))


if __name__ == "__main__":
    main()
