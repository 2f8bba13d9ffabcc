"""Complete images by ascent on the likelihood."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.inpainting.ascent_study import Ascents, study
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_arrays, require_writable, write_arrays
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load


@click.command()
@click.argument("problems", type=PATH)
@click.argument("fills", type=PATH)
@click.argument("model", type=PATH)
@output("--arrays", "the completions and how they came about (.npz)")
@device_option
@params_option
def main(
    problems: Path, fills: Path, model: Path, arrays: Path, device: torch.device, params: Path
) -> None:
    """Ascend log p of MODEL over the hidden pixels of PROBLEMS, from grey and from FILLS."""
    require_writable(arrays)
    config = load(params, "ascend", Ascents)
    given = read_arrays(problems, "images", "hidden", "names", "picture")
    given |= read_arrays(fills, "gaussian")
    flow, _ = checkpoint.load(model, device)
    images, hidden, gaussian = (
        torch.from_numpy(given[name]).to(device) for name in ("images", "hidden", "gaussian")
    )
    names, picture = given["names"].tolist(), int(given["picture"])
    write_arrays(arrays, **study(flow, images, hidden, gaussian, names, picture, config))


if __name__ == "__main__":
    main()
