"""Draw from the trained model."""

from pathlib import Path

import click
import torch

from nicelab import checkpoint
from nicelab.artifacts import read_arrays, require_writable, write_arrays, write_metrics
from nicelab.cli import PATH, output, params_option
from nicelab.device import device_option
from nicelab.images import scale
from nicelab.params import load
from nicelab.sampling import Sampling, study


@click.command()
@click.argument("images", type=PATH)
@click.argument("model", type=PATH)
@output("--arrays", "the pictures and the spectrum (.npz)")
@output("--metrics", "what they amount to (.json)")
@device_option
@params_option
def main(
    images: Path, model: Path, arrays: Path, metrics: Path, device: torch.device, params: Path
) -> None:
    """Samples of MODEL, interpolations between test images, and the scaling's spectrum."""
    require_writable(arrays, metrics)
    config = load(params, "sample", Sampling)
    data = read_arrays(images, "dataset", "training_pixels", "test_pixels")
    flow, _ = checkpoint.load(model, device)
    training, test = (
        torch.from_numpy(scale(data[f"{part}_pixels"])).to(device) for part in ("training", "test")
    )
    pictures, summary = study(flow, training, test, config)
    write_arrays(arrays, **pictures)
    write_metrics(metrics, {"dataset": str(data["dataset"]), **summary})


if __name__ == "__main__":
    main()
