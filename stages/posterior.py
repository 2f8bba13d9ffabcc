"""Draw completions from the model's conditional density."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.images.levels import scale
from nicelab.images.records import ImageSet
from nicelab.inpainting.hmc_study import Chains, draw_posterior
from nicelab.inpainting.records import Problems
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage
from nicelab.pipeline.timing import worked


@click.command(cls=Stage)
@click.argument("images", type=PATH)
@click.argument("problems", type=PATH)
@click.argument("model", type=PATH)
@output("--arrays", "moments and draws (.npz)")
@device_option
@params_option
def main(
    images: Path, problems: Path, model: Path, arrays: Path, device: torch.device, params: Path
) -> None:
    """Chains over the hidden pixels of PROBLEMS; they start from the Gaussian fitted to IMAGES."""
    require_writable(arrays)
    config = load(params, "posterior", Chains)
    training = scale(read_record(images, ImageSet).training_pixels)
    given = read_record(problems, Problems)
    flow, _ = checkpoint.load(model, device)
    grey = torch.from_numpy(training).to(device)
    write_record(arrays, draw_posterior(flow, grey, given, config))
    worked(config.gradients(*given.hidden.shape[:2]), "gradients")


if __name__ == "__main__":
    main()
