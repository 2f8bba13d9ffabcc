"""Train the classifier that judges completions."""

from pathlib import Path

import click
import torch

from nicelab.images.levels import scale
from nicelab.images.records import ImageSet
from nicelab.inpainting.classifier import Classifier, Recipe, save, train
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record, write_metrics
from nicelab.pipeline.files import require_writable
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
    """Learn the classes of IMAGES from their labels; without labels there is nothing to learn."""
    require_writable(model, metrics)
    recipe = load(params, "classifier", Recipe)
    data = read_record(images, ImageSet)
    classifier, found = None, {}
    if data.training_labels is not None:
        grey, test = (
            torch.from_numpy(scale(data.pixels(part))).to(device) for part in ("training", "test")
        )
        labels = torch.from_numpy(data.training_labels).long().to(device)
        new = Classifier(data.of_shape, len(data.classes))
        classifier = train(grey, labels, new, recipe)
        right = classifier.classify(test).cpu() == torch.from_numpy(data.test_labels)
        found = {"test": {"accuracy": mean(right)}}
        worked(recipe.epochs * len(labels), "images")
    md5 = save(model, classifier, data)
    write_metrics(metrics, {"dataset": data.name, **found, "model_md5": md5})


if __name__ == "__main__":
    main()
