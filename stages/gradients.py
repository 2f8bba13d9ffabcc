"""Compare stochastic gradient estimators."""

from pathlib import Path

import click

from nicelab.gradients import bernoulli, elbo
from nicelab.gradients import study as gradients
from nicelab.pipeline.artifacts import require_writable, write_arrays, write_metrics
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load


@click.command()
@output("--arrays", "the runs (.npz)")
@output("--metrics", "where they end, and the exact answers (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """Bias, variance and cost of gradient estimators; SGD; an ELBO; and a discrete family."""
    require_writable(arrays, metrics)
    config = load(params, "gradients", gradients.Gradients)
    curves, summary = gradients.study(config)
    write_arrays(arrays, **curves)
    others = {
        "elbo": elbo.study(config.elbo, config.seed),
        "bernoulli": bernoulli.study(config.bernoulli, config.seed),
    }
    write_metrics(metrics, {**summary, **others})


if __name__ == "__main__":
    main()
