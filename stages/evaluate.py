"""Measure the likelihood of the trained model."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.images.records import ImageSet
from nicelab.likelihood.evaluation import Evaluation, baseline, gaps, measure
from nicelab.likelihood.records import PARTS
from nicelab.likelihood.replicates import over_seeds
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_metrics, read_record, write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage
from nicelab.pipeline.timing import worked


@click.command(cls=Stage)
@click.argument("images", type=PATH)
@click.argument("model", type=PATH)
@click.argument("training", type=PATH)
@click.argument("replicates", type=PATH)
@output("--arrays", "the likelihood of each image (.npz)")
@output("--metrics", "their means (.json)")
@device_option
@params_option
def main(
    images: Path,
    model: Path,
    training: Path,
    replicates: Path,
    arrays: Path,
    metrics: Path,
    device: torch.device,
    params: Path,
) -> None:
    """Log-likelihood of the images in IMAGES under MODEL, and under a Gaussian.

    Of the training images as many are taken as there are test images. Where TRAINING, of which the
    model comes, had the recipe of its family's file in REPLICATES, means over seeds are given too.
    """
    require_writable(arrays, metrics)
    trained = read_metrics(training)
    config = load(params, "evaluate", Evaluation)
    data = read_record(images, ImageSet)
    flow, header = checkpoint.load(model, device)
    others = replicates / f"{header['architecture']['family']}.json"
    count = len(data.test_pixels)
    pixels = {part: torch.from_numpy(data.pixels(part)).to(device) for part in PARTS}
    parts = {part: x[:count] for part, x in pixels.items()} | {"validation": pixels["validation"]}
    likelihoods, summary = measure(flow, parts, config)
    worked(config.draws * sum(map(len, parts.values())), "images")
    write_record(arrays, likelihoods)
    found = {
        "dataset": data.name,
        "flow": type(flow).__name__,
        "dimensions": flow.dimensions,
        **summary,
        **gaps(summary),
    }
    found["gaussian"] = baseline(pixels["training"], parts)
    if others.exists() and (seeds := over_seeds(trained, summary, read_metrics(others))):
        found["over_seeds"] = seeds
    write_metrics(metrics, found)


if __name__ == "__main__":
    main()
