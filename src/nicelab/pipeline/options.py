"""Options and arguments that the stages share."""

from collections.abc import Callable
from pathlib import Path

import click

PATH = click.Path(path_type=Path)


def params_option(command: Callable) -> Callable:
    """Click option `--params`, the parameter file."""
    return click.option(
        "--params", type=PATH, default="params.yaml", show_default=True, help="Parameter file."
    )(command)


def output(name: str, content: str) -> Callable:
    """Required Click option that names a file to write."""
    return click.option(name, type=PATH, required=True, help=f"Where to write {content}.")
