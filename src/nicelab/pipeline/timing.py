"""How long stages take: each tells it at its end, and notes it where no stage looks.

The notes are one JSON object a line in `tmp/timings.jsonl`, which is no output of the pipeline and
is not versioned: the same commit takes another time on another day.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import click
import psutil

NOTES = Path("tmp", "timings.jsonl")


def note(worked: dict[str, Any]) -> None:
    """Tell on stderr how long this process took; where DVC runs it, note it too.

    Args:
        worked: what it said it did (`worked`), if it did.
    """
    found = {"seconds": round(time.time() - psutil.Process().create_time(), 2), **worked}
    click.echo(f"took {describe(found)}", err=True)
    if name := os.environ.get("DVC_STAGE"):
        _append(Path(os.environ["DVC_ROOT"], NOTES), {"stage": name, **found})


def worked(count: int, unit: str) -> None:
    """Say how much the stage that runs has done, e.g. 60 000 images."""
    click.get_current_context().meta[__name__] = {"count": count, "unit": unit}


def describe(note: dict[str, Any]) -> str:
    """Seconds, and the rate if the work was counted."""
    text = f"{note['seconds']:.1f} s"
    if count := note.get("count"):
        text += f": {count} {note['unit']}, {count / note['seconds']:.3g} a second"
    return text


def last_times(root: Path) -> dict[str, dict[str, Any]]:
    """The last note of each stage of the pipeline at `root`, in the order in which they ended."""
    notes: dict[str, dict[str, Any]] = {}
    try:
        lines = (root / NOTES).read_text().splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        note = json.loads(line)
        notes.pop(note["stage"], None)
        notes[note["stage"]] = note
    return notes


def _append(path: Path, note: dict[str, Any]) -> None:
    """One write of one line, so that stages that end together do not mix."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({**note, "ended": time.strftime("%Y-%m-%d %H:%M:%S")}) + "\n")
