"""Estimate how rarely two queues in tandem fill up."""

from pathlib import Path

import click

from nicelab.pipeline.artifacts import write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage
from nicelab.tandem.config import Tandem
from nicelab.tandem.study import judge


@click.command(cls=Stage)
@output("--arrays", "work against customers (.npz)")
@output("--metrics", "exact answers, estimates and how errors grow (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """Overflow of two queues in tandem by every estimator, beside the exact answer."""
    require_writable(arrays, metrics)
    found, summary = judge(load(params, "tandem", Tandem))
    write_record(arrays, found)
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
