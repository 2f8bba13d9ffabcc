"""Fetch the images."""

from pathlib import Path

import click

from nicelab.images.datasets import Data, download
from nicelab.images.sources import MIRROR_VARIABLE
from nicelab.pipeline.files import writing_folder
from nicelab.pipeline.options import output, params_option
from nicelab.pipeline.params import load
from nicelab.pipeline.stage import Stage


@click.command(cls=Stage)
@output("--folder", "the data set (a folder)")
@click.option(
    "--mirror",
    envvar=MIRROR_VARIABLE,
    help=f"Folder or URL to try first.  [env: {MIRROR_VARIABLE}]",
)
@params_option
def main(folder: Path, mirror: str | None, params: Path) -> None:
    """Fetch the data set; scikit-learn's digits and a user's own images are there already."""
    config = load(params, "data", Data)
    with writing_folder(folder) as temporary:
        download(config.dataset, temporary, mirror)


if __name__ == "__main__":
    main()
