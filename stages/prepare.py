"""Make the arrays that every later stage reads."""

from pathlib import Path

import click

from nicelab.images.datasets import Data, read
from nicelab.images.preparation import Preparation, prepare
from nicelab.pipeline.artifacts import write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@click.argument("folder", type=PATH)
@click.argument("own", type=PATH)
@output("--images", "the arrays (.npz)")
@output("--metrics", "the numbers of images (.json)")
@params_option
def main(folder: Path, own: Path, images: Path, metrics: Path, params: Path) -> None:
    """Split the data set in FOLDER, or the user's in OWN, into training, validation and test."""
    require_writable(images, metrics)
    data = load(params, "data", Data)
    config = load(params, "prepare", Preparation)
    found = prepare(read(data, folder, own), config, data.own.test)
    parts = ("training", "validation", "test")
    write_metrics(
        metrics,
        {
            "dataset": found.name,
            "shape": found.shape.tolist(),
            "classes": found.classes.tolist(),
            "images": {part: len(found.pixels(part)) for part in parts},
            "md5": write_record(images, found),
        },
    )


if __name__ == "__main__":
    main()
