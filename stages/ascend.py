"""Complete images by ascent on the likelihood."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.inpainting.ascent_study import Ascending, ascend_all
from nicelab.inpainting.records import Fills, Problems
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
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
    config = load(params, "ascend", Ascending)
    given, filled = read_record(problems, Problems), read_record(fills, Fills)
    flow, _ = checkpoint.load(model, device)
    gaussian = torch.from_numpy(filled.images["gaussian"]).to(device)
    write_record(arrays, ascend_all(flow, given, gaussian, config))


if __name__ == "__main__":
    main()
