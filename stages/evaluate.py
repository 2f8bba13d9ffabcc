"""Measure the likelihood of the trained model."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.likelihood.evaluation import Evaluation, measure
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_arrays, require_writable, write_metrics, write_record
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.timing import Stage, worked

PARTS = ("training", "validation", "test")


@click.command(cls=Stage)
@click.argument("images", type=PATH)
@click.argument("model", type=PATH)
@output("--arrays", "the likelihood of each image (.npz)")
@output("--metrics", "their means (.json)")
@device_option
@params_option
def main(
    images: Path, model: Path, arrays: Path, metrics: Path, device: torch.device, params: Path
) -> None:
    """Log-likelihood of the images in IMAGES under MODEL.

    Of the training images as many are taken as there are test images.
    """
    require_writable(arrays, metrics)
    config = load(params, "evaluate", Evaluation)
    data = read_arrays(images, "dataset", *(f"{part}_pixels" for part in PARTS))
    flow, _ = checkpoint.load(model, device)
    count = len(data["test_pixels"])
    parts = {p: torch.from_numpy(data[f"{p}_pixels"][:count]).to(device) for p in PARTS}
    likelihoods, summary = measure(flow, parts, config)
    worked(config.draws * sum(map(len, parts.values())), "images")
    write_record(arrays, likelihoods)
    write_metrics(metrics, {"dataset": str(data["dataset"]), **summary})


if __name__ == "__main__":
    main()
