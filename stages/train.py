"""Train a flow."""

from pathlib import Path
from typing import Any

import click
import torch

from nicelab.flows import checkpoint, registry
from nicelab.flows.flow import Flow
from nicelab.images.records import ImageSet
from nicelab.likelihood.progress import TrainingProgress
from nicelab.likelihood.recipe import Training, identity
from nicelab.likelihood.snapshots import Snapshots
from nicelab.likelihood.training import Run, Trained
from nicelab.machine.device import device_option
from nicelab.machine.precision import resolve
from nicelab.machine.ranks import Ranks, joined
from nicelab.pipeline.artifacts import read_record, write_metrics, write_table
from nicelab.pipeline.files import digest, require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage
from nicelab.pipeline.timing import worked


@click.command(cls=Stage)
@click.argument("family")
@click.argument("images", type=PATH)
@output("--model", "the weights (.safetensors)")
@output("--curve", "the training curve (.csv)")
@output("--metrics", "what was trained, on what (.json)")
@device_option
@params_option
def main(
    family: str,
    images: Path,
    model: Path,
    curve: Path,
    metrics: Path,
    device: torch.device,
    params: Path,
) -> None:
    """Train a flow of FAMILY on the arrays in IMAGES and keep the best validation weights.

    Interrupted, it goes on from its last epoch when it is started again. Under torchrun its
    processes share each batch.
    """
    architecture = registry.architecture(params, family)
    config = load(params, "train", Training, of=family)
    require_writable(model, curve, metrics)
    data = read_record(images, ImageSet)
    with joined(device) as (ranks, device):
        pixels, validation = (
            torch.from_numpy(data.pixels(part)).to(device) for part in ("training", "validation")
        )
        flow = registry.build(architecture, data.of_shape).to(device)
        made_on = _made_on(config, device, ranks)
        of_images = digest(images)
        memory = Snapshots(model, of_images, architecture, config, made_on)
        whole_batches = len(pixels) // config.batch * config.batch
        progress = TrainingProgress(config.epochs, whole_batches, silent=not ranks.first)
        trained = Run(config, progress, memory, ranks).train(flow, pixels, validation)
        worked(config.epochs * whole_batches, "images")
    if not ranks.first:
        return

    model_md5 = checkpoint.save(model, flow, architecture, data.of_shape, data.name)
    write_table(curve, trained.curve)
    summary = {
        "dataset": data.name,
        **_summary(flow, config, trained),
        "model_md5": model_md5,
        "images_md5": of_images,
        "recipe_md5": identity(architecture, config, trained.precision, of_images),
    }
    write_metrics(metrics, summary | made_on)
    memory.clear()


def _summary(flow: Flow, config: Training, trained: Trained) -> dict[str, Any]:
    return {
        "flow": type(flow).__name__,
        "parameters": sum(weight.numel() for weight in flow.parameters()),
        "epochs": config.epochs,
        "best_epoch": trained.best_epoch,
        "validation": {"log_likelihood": trained.validation},
        "seed": config.seed,
        "torch": torch.__version__,
    }


def _made_on(config: Training, device: torch.device, ranks: Ranks) -> dict[str, str | int]:
    """What decides how the training rounds, beside its parameters and its data."""
    return {
        "precision": resolve(config.precision, device),
        "device": device.type,
        "processes": ranks.size,
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    main()
