"""Score all completions."""

from pathlib import Path

import click
import torch

from nicelab.errors import InputError
from nicelab.flows import checkpoint
from nicelab.inpainting import classifier
from nicelab.inpainting.exhibits import exhibits
from nicelab.inpainting.scores import score
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_arrays, require_writable, write_arrays, write_metrics
from nicelab.pipeline.options import PATH, output


@click.command()
@click.argument("problems", type=PATH)
@click.argument("model", type=PATH)
@click.argument("judge", type=PATH)
@click.argument("fills", type=PATH)
@click.argument("ascents", type=PATH)
@click.argument("posterior", type=PATH)
@output("--arrays", "what the figures show (.npz)")
@output("--metrics", "the scores (.json)")
@device_option
def main(
    problems: Path, model: Path, judge: Path, fills: Path, ascents: Path, posterior: Path,
    arrays: Path, metrics: Path, device: torch.device,
) -> None:  # fmt: skip
    """Compare FILLS, ASCENTS and POSTERIOR with the truth of PROBLEMS; JUDGE is the classifier."""
    require_writable(arrays, metrics)
    given = read_arrays(problems, "dataset", "images", "labels", "names", "hidden", "picture")
    flow, _ = checkpoint.load(model, device)
    completions = [read_arrays(path) for path in (fills, ascents, posterior)]
    network = classifier.load(judge, device)
    try:
        scores = score(flow, network, given, *completions)
        shown = exhibits(given, *completions)
    except KeyError as error:
        raise InputError(
            f"{fills}, {ascents} or {posterior} lacks {error}, which is scored: run `dvc repro`"
        ) from None
    write_arrays(arrays, **shown)
    write_metrics(metrics, {"dataset": str(given["dataset"]), **scores})


if __name__ == "__main__":
    main()
