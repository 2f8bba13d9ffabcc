"""Make the arrays that every later stage reads."""

from pathlib import Path

import click

from nicelab.images.datasets import TITLES, Data, read
from nicelab.images.preparation import Preparation, prepare
from nicelab.pipeline.artifacts import digest, require_writable, write_arrays, write_metrics
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.timing import Stage


@click.command(cls=Stage)
@click.argument("folder", type=PATH)
@output("--images", "the arrays (.npz)")
@output("--metrics", "the numbers of images (.json)")
@params_option
def main(folder: Path, images: Path, metrics: Path, params: Path) -> None:
    """Split the data set in FOLDER into training, validation and test arrays."""
    require_writable(images, metrics)
    dataset = load(params, "data", Data).dataset
    config = load(params, "prepare", Preparation)
    arrays = prepare(*read(dataset, folder), config)
    write_arrays(images, dataset=TITLES[dataset], **arrays)
    counts = {part: len(arrays[f"{part}_labels"]) for part in ("training", "validation", "test")}
    write_metrics(metrics, {"dataset": TITLES[dataset], "images": counts, "md5": digest(images)})


if __name__ == "__main__":
    main()
