"""Kill `dvc repro` at random moments, and see that it ends with the bytes of an undisturbed run.

    python tests/kills.py --kills 50         # some ten minutes

The pipeline runs on the small digits of the tests, once undisturbed. Beside it the same starts as
often as it is killed, with all processes of its session: by SIGKILL as by a power cut, by SIGTERM,
or by SIGINT as by Ctrl-C. After each kill every file that a stage has written is whole.
"""

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from voluptuous import Invalid

from conftest import copy_of_the_project, run

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LOCK, RWLOCK = "dvc.lock", ".dvc/tmp/rwlock"


@dataclass
class Trial:
    """A run that is killed again and again.

    Args:
        root: where it runs.
        whole: the same, undisturbed.
        seed: of the moments and the signals.
    """

    root: Path
    whole: Path
    seed: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    restored: int = 0

    def disturb(self, kills: int, *targets: str, longest: float = 12.0) -> None:
        """Start it as often, each time until a random moment, then let it end."""
        for path in outputs(self.whole):
            (self.root / path).unlink(missing_ok=True)  # git has some, of other parameters
        moments = random.Random(self.seed)
        while self.kills.total() < kills:
            how = moments.choice(SIGNALS)
            if not self._killed(how, moments.uniform(0.5, longest), *targets):
                break
            self.kills[how.name] += 1
            self._require_whole()
        run(self.root, "dvc", "repro", *targets)

    def _killed(self, how: signal.Signals, after: float, *targets: str) -> bool:
        """Whether it was still at work when it was killed."""
        environment = {**os.environ, "PYTHONPATH": str(self.root / "src")}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(
            ["dvc", "repro", *targets],
            cwd=self.root,
            env=environment,
            start_new_session=True,
            **quiet,
        ) as process:
            try:
                process.wait(after)
                return False
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, how)
        while _alive(process.pid):  # its children too are gone before the next begins
            time.sleep(0.05)
        return True

    def _require_whole(self) -> None:
        """What there is of a stage's outputs is as it is to be; a damaged lock is put right."""
        for path in outputs(self.whole):
            here = self.root / path
            if here.is_file():
                assert here.read_bytes() == (self.whole / path).read_bytes(), f"{path} is damaged"
        if not (readable(self.root / LOCK) and is_json(self.root / RWLOCK)):
            self.restored += 1
            run(self.root, "nicelab", "check")
            assert readable(self.root / LOCK)

    def require_the_same(self, *stages: str) -> None:
        """All outputs, or those of some stages, are those of the undisturbed run."""
        for path in outputs(self.whole, *stages):
            assert (self.root / path).read_bytes() == (self.whole / path).read_bytes(), path
        assert not list(self.root.rglob("*.part")), "half-written files are left"


def outputs(root: Path, *stages: str) -> list[str]:
    """The files that stages write, of all or of some."""
    locked = YAML(typ="safe", pure=True).load(root / LOCK)["stages"]
    found = [
        out["path"]
        for name, stage in locked.items()
        if not stages or name in stages
        for out in stage["outs"]
    ]
    return [
        str(x.relative_to(root))
        for path in found
        for x in ([root / path] if (root / path).is_file() else (root / path).rglob("*"))
        if x.is_file()
    ]


def readable(lock: Path) -> bool:
    """Whether DVC can read it; there may be none yet."""
    try:
        if lock.exists():
            COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe", pure=True).load(lock))
    except (YAMLError, Invalid, UnicodeDecodeError):
        return False
    return True


def is_json(path: Path) -> bool:
    """Whether it is whole; there may be none."""
    try:
        if path.exists():
            json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@click.command()
@click.option("--kills", default=50, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, seed: int) -> None:
    """Kill the whole pipeline, and print how it ended."""
    with tempfile.TemporaryDirectory() as name:
        whole, root = (copy_of_the_project(Path(name, x)) for x in ("whole", "killed"))
        run(whole, "dvc", "repro")
        trial = Trial(root, whole, seed)
        trial.disturb(kills)
        trial.require_the_same()
    told = ", ".join(f"{count} by {name}" for name, count in trial.kills.items())
    click.echo(
        f"killed {trial.kills.total()} times ({told}); DVC's files were put right ", nl=False
    )
    click.echo(f"{trial.restored} times; every output has the bytes of the undisturbed run")


if __name__ == "__main__":
    main()
