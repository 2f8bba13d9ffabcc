"""Train the classifier that judges completions."""

from pathlib import Path

import click
import torch

from nicelab.images.levels import scale
from nicelab.inpainting.classifier import Recipe, save, train
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_arrays, write_metrics
from nicelab.pipeline.files import digest, require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage
from nicelab.pipeline.timing import worked
from nicelab.statistics import mean


@click.command(cls=Stage)
@click.argument("images", type=PATH)
@output("--model", "the weights (.safetensors)")
@output("--metrics", "the accuracy (.json)")
@device_option
@params_option
def main(images: Path, model: Path, metrics: Path, device: torch.device, params: Path) -> None:
    """Learn the digits of IMAGES from their labels."""
    require_writable(model, metrics)
    recipe = load(params, "classifier", Recipe)
    parts = [f"{part}_{kind}" for part in ("training", "test") for kind in ("pixels", "labels")]
    data = read_arrays(images, "dataset", *parts)
    pixels, digits, test, truth = (torch.from_numpy(data[part]) for part in parts)
    grey, test = (torch.from_numpy(scale(x.numpy())).to(device) for x in (pixels, test))
    classifier = train(grey, digits.long().to(device), recipe)
    accuracy = mean(classifier.classify(test).cpu() == truth)
    worked(recipe.epochs * len(digits), "images")
    save(model, classifier, str(data["dataset"]))
    found = {"test": {"accuracy": accuracy}, "model_md5": digest(model)}
    write_metrics(metrics, {"dataset": str(data["dataset"]), **found})


if __name__ == "__main__":
    main()
