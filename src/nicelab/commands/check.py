"""The command `nicelab check`."""

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path

import click
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from rich.filesize import decimal
from voluptuous import Invalid

from nicelab.checks import require_valid
from nicelab.comparison.difference import downstream
from nicelab.comparison.part import Part
from nicelab.comparison.revisions import WORKSPACE, Revision
from nicelab.errors import InputError
from nicelab.images.datasets import Data
from nicelab.pipeline.params import load, read_all
from nicelab.pipeline.stage import LOCK
from nicelab.pipeline.timing import last_times

PARAMS, MASKS, IMAGES = Path("params.yaml"), Path("masks"), Path("data", "images.npz")


@click.command()
def check() -> None:
    """Check parameters and masks of all stages; tell what `dvc repro` would run, and how long.

    The stages are those whose code, parameters or data have changed since they last ran, or whose
    outputs are missing, and all that follow them. Exits with 1 if a parameter, a mask or the disk
    does not allow the run. What a kill has left half-written of DVC's own files is put right.
    """
    restore_lock()
    clear_rwlock()
    require_valid(PARAMS, MASKS)
    click.echo(f"parameters  {PARAMS} and the pictures in {MASKS} are as the stages expect")
    here = "here" if IMAGES.exists() else "not prepared yet"
    click.echo(f"data        {load(PARAMS, 'data', Data).dataset}, {here}")
    with Revision(WORKSPACE) as revision:
        parts = {name: x for name, x in revision.stages.items() if x.file == "dvc.yaml"}
    changed = {name for name, part in parts.items() if part.changed or _missing(part)}
    names = downstream(parts, changed)
    free, needed = shutil.disk_usage(".").free, sum(parts[name].size for name in names)
    click.echo(f"disk        {decimal(free)} free; these stages wrote {decimal(needed)} last time")
    click.echo(f"stages      {len(names)} of {len(parts)} would run{_duration(names)}")
    for name in parts:
        if name in names:
            click.echo(f"            {name}")
    if free < needed:
        raise InputError(f"too little disk space: make room for another {decimal(needed - free)}")


def restore_lock() -> None:
    """Put the last lock file from which DVC could start a stage in the place of a damaged one.

    Raises:
        InputError: there is no such file.
    """
    lock = Path("dvc.lock")
    if not lock.exists():
        return
    try:
        COMPILED_LOCKFILE_SCHEMA(read_all(lock))
    except (InputError, Invalid):
        if not LOCK.exists():
            raise InputError(
                f"{lock} is damaged and there is no copy of it: `git checkout {lock}`, then "
                "`dvc repro`"
            ) from None
        lock.replace(LOCK.with_suffix(".damaged"))
        shutil.copyfile(LOCK, lock)
        click.echo(f"dvc.lock    was damaged: the last whole one, {LOCK}, is in its place")


def clear_rwlock() -> None:
    """Remove DVC's note of which process uses what, if it is half-written and stays so.

    It matters to processes that run at the same time alone, and they write it in an instant.
    """
    note = Path(".dvc", "tmp", "rwlock")
    for wait in (0.0, 1.0):
        time.sleep(wait)
        with suppress(ValueError):
            if not note.exists() or isinstance(json.loads(note.read_bytes()), dict):
                return
    note.unlink(missing_ok=True)
    click.echo(f"locks       {note} was half-written, and is removed")


def _missing(part: Part) -> bool:
    """Whether something that the stage makes is not there."""
    return not all(Path(out).exists() for out in part.outputs)


def _duration(names: set[str]) -> str:
    """How long these stages took when they last ran here."""
    times = {name: note["seconds"] for name, note in last_times(Path()).items() if name in names}
    if not times:
        return ""
    new = len(names) - len(times)
    rest = f" and {new} that never ran here" if new else ""
    return f": {sum(times.values()) / 60:.0f} min by their last times here{rest}"
