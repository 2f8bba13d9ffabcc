"""Train a flow with another seed, and measure its likelihood."""

from pathlib import Path

import click
import torch

from nicelab.flows import registry
from nicelab.images.records import ImageSet
from nicelab.likelihood.evaluation import Evaluation, measure
from nicelab.likelihood.progress import TrainingProgress
from nicelab.likelihood.recipe import Training, identity
from nicelab.likelihood.records import PARTS
from nicelab.likelihood.training import Run
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record, write_metrics
from nicelab.pipeline.files import digest, require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage
from nicelab.pipeline.timing import worked


@click.command(cls=Stage)
@click.argument("family")
@click.argument("images", type=PATH)
@click.option(
    "--seed", type=click.IntRange(min=0), required=True, help="In place of that of the recipe."
)
@output("--metrics", "the likelihoods (.json)")
@device_option
@params_option
def main(
    family: str, images: Path, seed: int, metrics: Path, device: torch.device, params: Path
) -> None:
    """Train FAMILY on IMAGES by the same recipe as `train`, and keep the likelihoods alone."""
    architecture = registry.architecture(params, family)
    config = load(params, "train", Training, of=family).model_copy(update={"seed": seed})
    evaluation = load(params, "evaluate", Evaluation)
    require_writable(metrics)
    data = read_record(images, ImageSet)
    parts = {part: torch.from_numpy(data.pixels(part)).to(device) for part in PARTS}
    pixels = parts["training"]
    flow = registry.build(architecture, data.of_shape).to(device)
    whole_batches = len(pixels) // config.batch * config.batch
    progress = TrainingProgress(config.epochs, whole_batches)
    trained = Run(config, progress).train(flow, pixels, parts["validation"])
    worked(config.epochs * whole_batches, "images")
    parts["training"] = pixels[: len(parts["test"])]
    of_images = digest(images)
    summary = {
        "seed": seed,
        "recipe_md5": identity(architecture, config, trained.precision, of_images),
        "images_md5": of_images,
        **measure(flow, parts, evaluation)[1],
    }
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
