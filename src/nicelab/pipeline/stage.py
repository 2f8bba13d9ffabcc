"""What every stage does beside its work."""

import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from nicelab.errors import InputError
from nicelab.pipeline import timing
from nicelab.pipeline.files import digest, together, writing

VALID = Path("tmp", "valid")  # MD5 of the parameters that were last found to be valid
ORDER = Path("tmp", "order")  # the names of all stages, in the order in which DVC runs them
LOCK = Path("tmp", "dvc.lock")  # the last dvc.lock from which DVC could start a stage
_FULL = ("out of memory", "can't allocate memory", "DefaultCPUAllocator")


class Stage(click.Command):
    """A command that DVC runs.

    It has the parameters of all stages checked before it works, says which of how many it is,
    keeps the lock file that DVC could read, writes all of its outputs or none, says on one line
    that memory is full, and tells how long it took.
    """

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run the command, then tell its time and the rate of the work it said it did."""
        first = os.environ.get("RANK", "0") == "0"  # of the processes of one stage
        if first and (root := os.environ.get("DVC_ROOT")):
            _require_valid(Path(root))
            _keep_lock(Path(root))
            _tell_place(Path(root), os.environ.get("DVC_STAGE", ""))
        try:
            with together():
                outcome = super().invoke(ctx)
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and not any(x in str(error) for x in _FULL):
                raise
            raise InputError(
                f"memory is full ({' '.join(str(error).split())[:120]}): lower the sizes in this "
                "stage's section of the parameters, or close other programs"
            ) from None
        if first:
            timing.note(ctx.meta.get(timing.__name__, {}))
        return outcome


def _require_valid(root: Path) -> None:
    """Check all sections and learn the stages' order, once for each version of the two files.

    What does so is imported where it is needed: it knows every study, and no stage's output
    depends on it.
    """
    params, pipeline = root / "params.yaml", root / "dvc.yaml"
    try:
        found = digest(params) + (digest(pipeline) if pipeline.exists() else "")
    except OSError:
        return  # the stage says so itself
    known = root / VALID
    if not known.exists() or known.read_text() != found:
        import_module("nicelab.checks").require_valid(params, root / "masks")
        order = import_module("nicelab.pipeline.order").order(root)
        for path, text in ((root / ORDER, "\n".join(order)), (known, found)):
            with writing(path) as temporary:
                temporary.write_text(text)


def _tell_place(root: Path, stage: str) -> None:
    """Say which of the stages of its pipeline this one is; all are counted, not those that run."""
    order = (root / ORDER).read_text().splitlines() if (root / ORDER).exists() else []
    file = stage.rpartition(":")[0]
    names = [name for name in order if name.rpartition(":")[0] == file]
    if stage in names:
        click.echo(f"stage {names.index(stage) + 1} of {len(names)}", err=True)


def _keep_lock(root: Path) -> None:
    """DVC reads its lock before it starts a stage, so this one is whole."""
    if (lock := root / "dvc.lock").exists():
        with writing(root / LOCK) as temporary:
            shutil.copyfile(lock, temporary)
