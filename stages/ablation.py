"""Tell what the parts of a flow are worth."""

from pathlib import Path

import click

from nicelab.ablation.study import compare
from nicelab.pipeline.artifacts import read_metrics, write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, output
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@click.argument("trainings", type=PATH)
@output("--arrays", "the likelihood of each training (.npz)")
@output("--metrics", "what every part is worth (.json)")
def main(trainings: Path, arrays: Path, metrics: Path) -> None:
    """Compare the rungs of an ablation by its TRAININGS, which `make ablation` collects."""
    require_writable(arrays, metrics)
    found, summary = compare(read_metrics(trainings))
    write_record(arrays, found)
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
