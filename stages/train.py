"""Train NICE."""

from pathlib import Path

import click
import torch

from nicelab import checkpoint
from nicelab.artifacts import (
    digest,
    read_arrays,
    require_writable,
    write_metrics,
    write_table,
)
from nicelab.cli import PATH, output, params_option
from nicelab.device import device_option
from nicelab.nice import NICE, Architecture
from nicelab.params import load
from nicelab.progress import TrainingProgress
from nicelab.training import Training, train


@click.command()
@click.argument("images", type=PATH)
@output("--model", "the weights (.safetensors)")
@output("--curve", "the training curve (.csv)")
@output("--metrics", "what was trained, on what (.json)")
@device_option
@params_option
def main(
    images: Path, model: Path, curve: Path, metrics: Path, device: torch.device, params: Path
) -> None:
    """Train NICE on the arrays in IMAGES and keep the best validation weights."""
    architecture = load(params, "model", Architecture)
    config = load(params, "train", Training)
    require_writable(model, curve, metrics)
    arrays = read_arrays(images, "dataset", "training_pixels", "validation_pixels")
    dataset = str(arrays["dataset"])
    pixels, validation = (
        torch.from_numpy(arrays[f"{part}_pixels"]).to(device)
        for part in ("training", "validation")
    )
    flow = NICE(pixels.shape[1], architecture).to(device)
    whole_batches = len(pixels) // config.batch * config.batch
    progress = TrainingProgress(config.epochs, whole_batches)
    trained = train(flow, pixels, validation, config, progress)

    checkpoint.save(model, flow, architecture, dataset)
    write_table(curve, trained.curve)
    summary = {
        "dataset": dataset,
        "parameters": sum(weight.numel() for weight in flow.parameters()),
        "epochs": config.epochs,
        "best_epoch": trained.best_epoch,
        "validation": {"log_likelihood": trained.validation},
        "model_md5": digest(model),
        "torch": torch.__version__,
        "device": device.type,
        "threads": torch.get_num_threads(),
    }
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
