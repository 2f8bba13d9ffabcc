"""Estimate the probability of a rare event."""

from pathlib import Path

import click

from nicelab.artifacts import require_writable, write_arrays, write_metrics
from nicelab.cli import output, params_option
from nicelab.importance import Importance, study
from nicelab.params import load


@click.command()
@output("--arrays", "the curves and paths (.npz)")
@output("--metrics", "estimate and exact answer (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """The gambler by importance sampling, beside the exact answer."""
    require_writable(arrays, metrics)
    curves, summary = study(load(params, "importance", Importance))
    write_arrays(arrays, **curves)
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
