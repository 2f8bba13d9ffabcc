"""Compare stochastic gradient estimators."""

from pathlib import Path

import click
import torch

from nicelab.gradients.config import Gradients
from nicelab.gradients.study import judge
from nicelab.machine.device import device_option
from nicelab.pipeline.artifacts import write_metrics, write_record
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@output("--arrays", "the runs (.npz)")
@output("--metrics", "where they end, and the exact answers (.json)")
@device_option
@params_option
def main(arrays: Path, metrics: Path, device: torch.device, params: Path) -> None:
    """Bias, variance and cost of gradient estimators; SGD; and an ELBO."""
    require_writable(arrays, metrics)
    found, summary = judge(load(params, "gradients", Gradients), device)
    write_record(arrays, found)
    write_metrics(metrics, summary)


if __name__ == "__main__":
    main()
