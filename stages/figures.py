"""Draw the figure of one study."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import get_args, get_origin, get_type_hints

import click
from matplotlib.figure import Figure

from nicelab import figures
from nicelab.errors import InputError
from nicelab.figures import style
from nicelab.flows.names import chosen
from nicelab.pipeline.artifacts import read_metrics, read_record
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.stage import Stage

NOT_OF_THE_PIPELINE = {"style", "experiments"}
STUDIES = [
    module.name
    for module in iter_modules(figures.__path__)
    if module.name not in NOT_OF_THE_PIPELINE
]


@click.command(cls=Stage)
@click.argument("study", type=click.Choice(STUDIES))
@click.argument("arrays", type=PATH)
@click.argument("metrics", type=PATH)
@output("--figure", "the picture (.png)")
@params_option
def main(study: str, arrays: Path, metrics: Path, figure: Path, params: Path) -> None:
    """Draw STUDY from its ARRAYS (.npz or .csv) and METRICS.

    Both are folders where every family of flows has a file of its own. A study that does not show
    all flows in one picture has one of each, below one another.
    """
    draw = import_module(f"nicelab.figures.{study}").draw
    kind = get_type_hints(draw)["found"]
    of_all = get_origin(kind) is Mapping
    if not arrays.is_dir():
        if of_all:
            raise InputError(
                f"{study} is of all flows: give a folder with a file of each, not {arrays}"
            )
        pictures = [draw(read_record(arrays, kind), read_metrics(metrics))]
    else:
        names = chosen(params)
        record = get_args(kind)[1] if of_all else kind
        found = {name: read_record(_file(arrays, name), record) for name in names}
        told = {name: read_metrics(metrics / f"{name}.json") for name in names}
        parts = [(found, told)] if of_all else zip(found.values(), told.values(), strict=True)
        pictures = [draw(*part) for part in parts]
    save = style.save if isinstance(pictures[0], Figure) else style.save_animation
    save(pictures, figure)


def _file(folder: Path, name: str) -> Path:
    """The file of a family in a folder, whatever its ending."""
    return next(folder.glob(f"{name}.*"), folder / f"{name}.npz")


if __name__ == "__main__":
    main()
