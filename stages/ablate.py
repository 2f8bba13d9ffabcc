"""Train a flow briefly with one part changed, and measure its validation likelihood."""

from pathlib import Path

import click
import torch

from nicelab.ablation.rungs import Rungs
from nicelab.flows import registry
from nicelab.images.records import ImageSet
from nicelab.likelihood.evaluation import Evaluation, evaluate, summarise
from nicelab.likelihood.progress import TrainingProgress
from nicelab.likelihood.recipe import Training, identity
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
@click.argument("rung")
@click.argument("images", type=PATH)
@click.option("--ablation", type=PATH, required=True, help="Epochs and rungs (.yaml).")
@click.option(
    "--seed", type=click.IntRange(min=0), required=True, help="In place of that of the recipe."
)
@output("--metrics", "the likelihood (.json)")
@device_option
@params_option
def main(
    family: str,
    rung: str,
    images: Path,
    ablation: Path,
    seed: int,
    metrics: Path,
    device: torch.device,
    params: Path,
) -> None:
    """Train FAMILY with the change of RUNG on IMAGES; test images are not looked at."""
    rungs = load(ablation, "ablation", Rungs)
    architecture = rungs.architecture(registry.architecture(params, family), rung)
    recipe = load(params, "train", Training, of=family)
    recipe = recipe.model_copy(update={"seed": seed, "epochs": rungs.trained(rung)})
    evaluation = load(params, "evaluate", Evaluation)
    require_writable(metrics)
    data = read_record(images, ImageSet)
    pixels, validation = (
        torch.from_numpy(data.pixels(part)).to(device) for part in ("training", "validation")
    )
    flow = registry.build(architecture, data.of_shape).to(device)
    whole_batches = len(pixels) // recipe.batch * recipe.batch
    progress = TrainingProgress(recipe.epochs, whole_batches)
    trained = Run(recipe, progress).train(flow, pixels, validation)
    worked(recipe.epochs * whole_batches, "images")
    found = evaluate(flow, validation, evaluation, "validation")
    of_images = digest(images)
    summary = {
        "dataset": data.name,
        "flow": type(flow).__name__,
        "label": rungs.named(rung).label,
        "parameters": sum(weight.numel() for weight in flow.parameters()),
        "epochs": recipe.epochs,
        "seed": seed,
        "recipe_md5": identity(architecture, recipe, trained.precision, of_images),
        "images_md5": of_images,
        "validation": summarise(found, flow.dimensions),
    }
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
