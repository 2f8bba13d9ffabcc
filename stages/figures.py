"""Draw the figure of one study."""

from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import click
from matplotlib.figure import Figure

from nicelab.figures import style
from nicelab.pipeline.artifacts import read_metrics, read_record
from nicelab.pipeline.options import PATH, output
from nicelab.pipeline.timing import Stage

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


@click.command(cls=Stage)
@click.argument("study", type=click.Choice(STUDIES))
@click.argument("arrays", type=PATH)
@click.argument("metrics", type=PATH)
@output("--figure", "the picture (.png)")
def main(study: str, arrays: Path, metrics: Path, figure: Path) -> None:
    """Draw STUDY from its ARRAYS (.npz or .csv) and METRICS."""
    draw = import_module(f"nicelab.figures.{study}").draw
    found = read_record(arrays, get_type_hints(draw)["found"])
    picture = draw(found, read_metrics(metrics))
    save = style.save if isinstance(picture, Figure) else style.save_animation
    save(picture, figure)


if __name__ == "__main__":
    main()
