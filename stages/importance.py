"""Estimate the probability of a rare event."""

from pathlib import Path

import click
import torch

from nicelab.importance.config import Importance
from nicelab.importance.exhibits import relative_errors
from nicelab.importance.study import measure
from nicelab.machine.ranks import joined
from nicelab.pipeline.artifacts import write_metrics, write_record, write_table
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@output("--arrays", "the curves and paths (.npz)")
@output("--ladder", "the relative errors, for `dvc plots` (.csv)")
@output("--metrics", "estimate and exact answer (.json)")
@params_option
def main(arrays: Path, ladder: Path, metrics: Path, params: Path) -> None:
    """The gambler by importance sampling, beside the exact answer."""
    require_writable(arrays, ladder, metrics)
    with joined(torch.device("cpu")) as (ranks, _):
        found, summary = measure(load(params, "importance", Importance), ranks)
        if ranks.first:
            write_record(arrays, found)
            write_table(ladder, relative_errors(summary))
            write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
