"""Compare gradient estimators where variables are discrete."""

from pathlib import Path

import click

from nicelab.discrete.config import Discrete
from nicelab.discrete.study import judge
from nicelab.pipeline.artifacts import write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@output("--arrays", "bias and cost (.npz)")
@output("--metrics", "the same by estimator (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """Bias, variance and cost of gradient estimators for bits, where no path exists."""
    require_writable(arrays, metrics)
    found, summary = judge(load(params, "discrete", Discrete))
    write_record(arrays, found)
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
