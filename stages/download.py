"""Fetch the images."""

from pathlib import Path

import click

from nicelab.images import datasets
from nicelab.pipeline.artifacts import writing_folder
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.timing import Stage


@click.command(cls=Stage)
@output("--folder", "the data set (a folder)")
@click.option(
    "--mirror",
    envvar=datasets.MIRROR_VARIABLE,
    help=f"Folder or URL to try first.  [env: {datasets.MIRROR_VARIABLE}]",
)
@params_option
def main(folder: Path, mirror: str | None, params: Path) -> None:
    """Fetch MNIST from a mirror, or write the digits that come with scikit-learn."""
    config = load(params, "data", datasets.Data)
    with writing_folder(folder) as temporary:
        datasets.download(config.dataset, temporary, mirror)


if __name__ == "__main__":
    main()
