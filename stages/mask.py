"""Hide pixels of test images."""

from pathlib import Path

import click

from nicelab.images.records import ImageSet
from nicelab.inpainting.problems import Masking, hide
from nicelab.pipeline.artifacts import read_record, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@click.argument("images", type=PATH)
@click.argument("masks", type=PATH)
@output("--arrays", "the images and their masks (.npz)")
@params_option
def main(images: Path, masks: Path, arrays: Path, params: Path) -> None:
    """Put the first test images of IMAGES behind masks, whose pictures are in MASKS."""
    require_writable(arrays)
    config = load(params, "mask", Masking)
    write_record(arrays, hide(read_record(images, ImageSet), config, masks))


if __name__ == "__main__":
    main()
