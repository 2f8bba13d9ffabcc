"""Check invertible 1×1 convolutions."""

from pathlib import Path

import click

from nicelab.flows.claims import Convolution, check
from nicelab.pipeline.artifacts import write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@output("--arrays", "formula and oracle of each case (.npz)")
@output("--metrics", "the largest error of each claim (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """Compare four formulas for log-determinants with automatic differentiation."""
    require_writable(arrays, metrics)
    claims, summary = check(load(params, "convolution", Convolution))
    write_record(arrays, claims)
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
