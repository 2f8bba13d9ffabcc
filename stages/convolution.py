"""Check invertible 1×1 convolutions."""

from pathlib import Path

import click

from nicelab.flows.claims import Convolution, check, summarise
from nicelab.pipeline.artifacts import require_writable, write_arrays, write_metrics
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load


@click.command()
@output("--arrays", "formula and oracle of each case (.npz)")
@output("--metrics", "the largest error of each claim (.json)")
@params_option
def main(arrays: Path, metrics: Path, params: Path) -> None:
    """Compare four formulas for log-determinants with automatic differentiation."""
    require_writable(arrays, metrics)
    results = check(load(params, "convolution", Convolution))
    columns = {}
    for claim, (formula, oracle) in results.items():
        columns[f"{claim}_formula"] = formula.numpy()
        columns[f"{claim}_autograd"] = oracle.numpy()
    write_arrays(arrays, **columns)
    write_metrics(metrics, summarise(results))


if __name__ == "__main__":
    main()
