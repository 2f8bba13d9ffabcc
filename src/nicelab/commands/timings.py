"""The command `nicelab timings`."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from nicelab.errors import InputError
from nicelab.pipeline.timing import NOTES, last_times

WIDTH = 100  # columns where there is no terminal


@click.command()
def timings() -> None:
    """Tell where the time of `dvc repro` went: the last run of each stage, here."""
    notes = last_times(Path())
    if not notes:
        raise InputError(f"no stage has run here yet ({NOTES}): run dvc repro")
    total = sum(note["seconds"] for note in notes.values())
    table = Table("stage")
    for header in ("seconds", "share", "work", "a second"):
        table.add_column(header, justify="right")
    for name, note in notes.items():
        seconds, count = note["seconds"], note.get("count")
        work = (f"{count} {note['unit']}", f"{count / seconds:.3g}") if count else ("", "")
        table.add_row(name, f"{seconds:.1f}", f"{seconds / total:.1%}", *work)
    table.add_section()
    table.add_row("all", f"{total:.1f}")
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)
