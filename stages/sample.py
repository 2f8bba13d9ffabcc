"""Draw from the trained model."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.images.levels import scale
from nicelab.images.records import ImageSet
from nicelab.likelihood.sampling import Sampling, look
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record, write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


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
    data = read_record(images, ImageSet)
    flow, _ = checkpoint.load(model, device)
    training, test = (
        torch.from_numpy(scale(data.pixels(part))).to(device) for part in ("training", "test")
    )
    pictures, summary = look(flow, training, test, data.of_shape, config)
    write_record(arrays, pictures)
    names = {"dataset": data.name, "flow": type(flow).__name__}
    write_metrics(metrics, {**names, **summary})


if __name__ == "__main__":
    main()
