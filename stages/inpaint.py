"""Score all completions."""

from pathlib import Path

import click
import torch

from nicelab.flows import checkpoint
from nicelab.inpainting import classifier
from nicelab.inpainting.exhibits import exhibits
from nicelab.inpainting.records import Ascents, Fills, Posterior, Problems
from nicelab.inpainting.scores import Study, score
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import read_record, write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
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
    problems: Path,
    model: Path,
    judge: Path,
    fills: Path,
    ascents: Path,
    posterior: Path,
    arrays: Path,
    metrics: Path,
    device: torch.device,
) -> None:
    """Compare FILLS, ASCENTS and POSTERIOR with the truth of PROBLEMS; JUDGE is the classifier."""
    require_writable(arrays, metrics)
    flow, _ = checkpoint.load(model, device)
    study = Study(
        read_record(problems, Problems),
        read_record(fills, Fills),
        read_record(ascents, Ascents),
        read_record(posterior, Posterior),
    )
    scores = score(flow, classifier.load(judge, device), study)
    write_record(arrays, exhibits(study))
    names = {"dataset": str(study.problems.dataset), "flow": type(flow).__name__}
    write_metrics(metrics, {**names, **scores})


if __name__ == "__main__":
    main()
