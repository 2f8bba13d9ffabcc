"""Look at the trained model's likelihood and latents in detail."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.images.datasets import DIGITS_TITLES, scikit_digits
from nicelab.images.records import ImageSet
from nicelab.likelihood.diagnostics import Diagnosis, diagnose
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record, write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@click.argument("images", type=PATH)
@click.argument("model", type=PATH)
@output("--arrays", "likelihoods and latents (.npz)")
@output("--metrics", "what they amount to (.json)")
@device_option
@params_option
def main(
    images: Path, model: Path, arrays: Path, metrics: Path, device: torch.device, params: Path
) -> None:
    """Likelihood per digit and of other images under MODEL, and the law of its latents."""
    require_writable(arrays, metrics)
    config = load(params, "diagnose", Diagnosis)
    data = read_record(images, ImageSet)
    flow, _ = checkpoint.load(model, device)
    digits = None
    if data.name not in DIGITS_TITLES:
        digits = torch.from_numpy(scikit_digits(data.of_shape).pixels).to(device)
    found, summary = diagnose(flow, data, digits, config)
    write_record(arrays, found)
    names = {"dataset": data.name, "flow": type(flow).__name__}
    write_metrics(metrics, {**names, **summary})


if __name__ == "__main__":
    main()
