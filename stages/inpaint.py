"""Inpaint test images with the trained model."""

from pathlib import Path

import click
import torch

from nicelab import checkpoint
from nicelab.artifacts import read_arrays, require_writable, write_arrays, write_metrics
from nicelab.cli import PATH, output, params_option
from nicelab.device import device_option
from nicelab.images import scale
from nicelab.inpainting import Inpainting, compare
from nicelab.params import load


@click.command()
@click.argument("images", type=PATH)
@click.argument("model", type=PATH)
@output("--arrays", "the pictures and their traces (.npz)")
@output("--metrics", "errors and likelihoods (.json)")
@device_option
@params_option
def main(
    images: Path, model: Path, arrays: Path, metrics: Path, device: torch.device, params: Path
) -> None:
    """Complete test images of IMAGES behind the sheet's box, as printed and right."""
    require_writable(arrays, metrics)
    config = load(params, "inpaint", Inpainting)
    data = read_arrays(images, "dataset", "test_pixels")
    flow, _ = checkpoint.load(model, device)
    truth = torch.from_numpy(scale(data["test_pixels"])).to(device)
    pictures, summary = compare(flow, truth, config)
    write_arrays(arrays, **{name: array.cpu().numpy() for name, array in pictures.items()})
    write_metrics(metrics, {"dataset": str(data["dataset"]), **summary})


if __name__ == "__main__":
    main()
