"""Files that appear whole: each is written beside its destination first and moved there.

A file has its full content or does not exist, and of files that are written `together` all
appear or none. What a killed process leaves is swept before its place is written again.
"""

import errno
import glob
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

import psutil

from nicelab.errors import InputError

_waiting: ContextVar[dict[Path, Path] | None] = ContextVar("_waiting", default=None)


@contextmanager
def writing(path: Path, at_once: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there if the block succeeds.

    Args:
        path: the destination.
        at_once: do not wait for what is written `together` with it.

    Raises:
        InputError: the destination cannot be written.
    """
    temporary, waiting = _beside(path), None if at_once else _waiting.get()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if waiting is None:
            temporary.replace(path)
        else:
            waiting[temporary] = path
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        if waiting is None or temporary not in waiting:
            _remove(temporary)


@contextmanager
def together() -> Iterator[None]:
    """Files that are written in the block appear at its end, all of them, or none if it fails.

    Of those that were there before, all are replaced or none.

    Raises:
        InputError: a destination cannot be written.
    """
    waiting: dict[Path, Path] = {}
    token = _waiting.set(waiting)
    try:
        yield
        _move(waiting)
    finally:
        _waiting.reset(token)
        for temporary in waiting:
            _remove(temporary)


def _move(waiting: dict[Path, Path]) -> None:
    """Move each file to its place; if one cannot be moved, put back what was there."""
    replaced = []
    with ExitStack() as undo:
        for temporary, path in waiting.items():
            try:
                if path.is_file() or path.is_symlink():
                    before = _beside(path.with_name(f"{path.name}.before"))
                    path.replace(before)
                    undo.callback(before.replace, path)
                    replaced.append(before)
                    temporary.replace(path)
                else:
                    temporary.replace(path)
                    undo.callback(path.unlink)
            except OSError as error:
                raise _cannot_write(path, error) from None
        undo.pop_all()
    for before in replaced:
        _remove(before)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; put it in the place of `path` if the block succeeds.

    Raises:
        InputError: the destination cannot be written.
    """
    _sweep(path)
    temporary = _beside(path)
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise _cannot_write(path, error) from None
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def require_writable(*paths: Path) -> None:
    """Fail now rather than after an hour of work; remove what dead processes left beside.

    Raises:
        InputError: one of the paths cannot be written.
    """
    for path in paths:
        temporary = _beside(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch()
            temporary.unlink()
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        except OSError as error:
            raise _cannot_write(path, error) from None
        _sweep(path)


def digest(path: Path) -> str:
    """MD5 of a file, the digest that `dvc.lock` records for it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _beside(path: Path) -> Path:
    if not path.name:  # the folder itself, or the root
        raise _cannot_write(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _sweep(path: Path) -> None:
    """Remove what processes that are no more were writing to this path."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        number = re.fullmatch(r".*\.(\d+)\.part", part.name)
        if number and not psutil.pid_exists(int(number[1])):
            _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot write {path}: {error.strerror or error}")
