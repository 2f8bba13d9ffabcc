"""Draw the figure of one study."""

from importlib import import_module
from pathlib import Path

import click
from matplotlib.figure import Figure

from nicelab.errors import InputError
from nicelab.figures import style
from nicelab.pipeline.artifacts import read_arrays, read_metrics, read_table
from nicelab.pipeline.options import PATH, output

STUDIES = (
    "training",
    "likelihood",
    "diagnostics",
    "samples",
    "inpainting",
    "ascents",
    "completions",
    "errors",
    "posterior",
    "animation",
    "convolution",
    "importance",
    "ladder",
    "paths",
    "weights",
    "coverage",
    "gradients",
    "estimators",
)


@click.command()
@click.argument("study", type=click.Choice(STUDIES))
@click.argument("arrays", type=PATH)
@click.argument("metrics", type=PATH)
@output("--figure", "the picture (.png)")
def main(study: str, arrays: Path, metrics: Path, figure: Path) -> None:
    """Draw STUDY from its ARRAYS (.npz or .csv) and METRICS."""
    module = import_module(f"nicelab.figures.{study}")
    read = read_table if arrays.suffix == ".csv" else read_arrays
    columns, numbers = read(arrays), read_metrics(metrics)
    try:
        picture = module.draw(columns, numbers)
    except KeyError as error:
        raise InputError(
            f"{arrays} or {metrics} lacks {error}, which the figure shows: run `dvc repro`"
        ) from None
    save = style.save if isinstance(picture, Figure) else style.save_animation
    save(picture, figure)


if __name__ == "__main__":
    main()
