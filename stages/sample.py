"""Draw from the trained model."""

from pathlib import Path

import click
import torch

from nicelab import checkpoint
from nicelab.artifacts import read_arrays, require_writable, write_arrays, write_metrics
from nicelab.cli import PATH, output, params_option
from nicelab.device import device_option, generator
from nicelab.images import scale
from nicelab.params import load
from nicelab.sampling import (
    Sampling,
    interpolate,
    pairs,
    round_trip_error,
    scaling_spectrum,
)
from nicelab.statistics import Estimate, mean


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
    data = read_arrays(images, "dataset", "test_pixels")
    flow, _ = checkpoint.load(model, device)
    test = torch.from_numpy(scale(data["test_pixels"])).to(device)
    samples = flow.sample(config.samples, generator(config.seed, "samples", device=device)).cpu()
    start, end = pairs(test, config)
    spectrum = scaling_spectrum(flow).cpu()
    outside = ((samples < 0) | (samples > 1)).double().mean(1)
    write_arrays(
        arrays,
        samples=samples[: config.grid**2].numpy(),
        interpolations=interpolate(flow, start, end, config.steps).cpu().numpy(),
        spectrum=spectrum.numpy(),
    )
    summary = {
        "dataset": str(data["dataset"]),
        "share_of_pixels_outside_0_1": mean(outside),
        "round_trip_error": Estimate.exact(round_trip_error(flow, test[:1000])),
        "sigma": {
            "largest": Estimate.exact(spectrum[0]),
            "median": Estimate.exact(spectrum.median()),
            "smallest": Estimate.exact(spectrum[-1]),
        },
    }
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
