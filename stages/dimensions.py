"""Compare gradient estimators in many dimensions."""

from pathlib import Path

import click

from nicelab.dimensions.config import Dimensions
from nicelab.dimensions.study import judge
from nicelab.pipeline.artifacts import write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@output("--arrays", "cost against dimensions (.npz)")
@output("--metrics", "how the cost grows (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """What the accuracy of a gradient costs in d dimensions, by every family of estimators."""
    require_writable(arrays, metrics)
    found, summary = judge(load(params, "dimensions", Dimensions))
    write_record(arrays, found)
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
