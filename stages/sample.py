"""Draw from the trained model."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.images.levels import scale
from nicelab.likelihood.sampling import Sampling, look
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_arrays, require_writable, write_metrics, write_record
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.timing import Stage


@click.command(cls=Stage)
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
    pictures, summary = look(flow, training, test, config)
    write_record(arrays, pictures)
    names = {"dataset": str(data["dataset"]), "flow": type(flow).__name__}
    write_metrics(metrics, {**names, **summary})


if __name__ == "__main__":
    main()
