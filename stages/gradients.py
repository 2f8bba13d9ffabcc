"""Compare stochastic gradient estimators."""

from pathlib import Path

import click

from nicelab import elbo, gradients
from nicelab.artifacts import require_writable, write_arrays, write_metrics
from nicelab.cli import output, params_option
from nicelab.params import load


@click.command()
@output("--arrays", "the runs (.npz)")
@output("--metrics", "where they end, and the exact answers (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """The score-function and pathwise estimators, as printed and right, and the ELBO identity."""
    require_writable(arrays, metrics)
    config = load(params, "gradients", gradients.Gradients)
    curves, summary = gradients.study(config)
    write_arrays(arrays, **curves)
    write_metrics(metrics, {**summary, "elbo": elbo.study(config.elbo, config.seed)})


if __name__ == "__main__":
    main()
