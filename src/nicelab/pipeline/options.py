"""Options and arguments that the stages share."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from nicelab.errors import InputError

LONGEST = 200  # bytes of a name: file systems take 255, and what is written has a longer one first


class FilePath(click.Path):
    """A file or a folder: no device, no pipe, nothing that a file system cannot name."""

    def convert(
        self, value: str | os.PathLike, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """The path.

        Raises:
            InputError: it is none that can be read or written.
        """
        text = os.fspath(value)
        name = param.get_error_hint(ctx) if param and ctx else "the path"
        if not text.isprintable():
            raise InputError(f"{name} must be a path of printable letters, got {text!r}")
        if longest := max((x for x in Path(text).parts), key=len, default=""):
            if len(os.fsencode(longest)) > LONGEST:
                raise InputError(
                    f"{name} must have names of at most {LONGEST} bytes, got {longest[:20]}… "
                    f"with {len(os.fsencode(longest))}"
                )
        path = super().convert(value, param, ctx)
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"{name} must be a file or a folder, got the device or pipe {path}")
        return path


PATH = FilePath(path_type=Path)


def params_option(command: Callable) -> Callable:
    """Click option `--params`, the parameter file."""
    return click.option(
        "--params", type=PATH, default="params.yaml", show_default=True, help="Parameter file."
    )(command)


def output(name: str, content: str) -> Callable:
    """Required Click option that names a file to write."""
    return click.option(name, type=PATH, required=True, help=f"Where to write {content}.")
