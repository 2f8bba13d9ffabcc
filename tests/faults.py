"""Let a system call of a stage fail, and see that its old outputs stay and one line tells.

    python tests/faults.py --faults 200      # some twenty minutes; needs strace

Every stage of a finished pipeline on the small digits runs once under strace, which notes each
opening, write, synchronisation, rename and removal of its outputs. Of all these calls some are
drawn, any stage and kind of call as likely as another, and each fails once in a run of its own:
with no space left on the device, or with an error of the device. A stage may go on only if all of
its outputs are right nevertheless.
"""

import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from ruamel.yaml import YAML
from tqdm import tqdm, trange

from conftest import copy_of_the_project, run

BY_NAME = "openat", "mkdir", "rename", "renameat", "renameat2", "unlink"
BY_NUMBER = "write", "pwrite64", "writev", "ftruncate", "fsync", "fdatasync", "sendfile"
CALL = re.compile(rf"(?P<thread>\d+) +(?P<name>{'|'.join(BY_NAME + BY_NUMBER)})\((?P<words>.*)")
ERRORS = "ENOSPC", "EIO"
ALONE = {"OMP_NUM_THREADS": "1"}  # sums depend on the number of threads, and outputs on sums


@dataclass(frozen=True)
class Stage:
    """How `dvc.lock` says that a stage was run, and what it wrote."""

    name: str
    words: tuple[str, ...]
    outputs: tuple[str, ...]

    def start(self, root: Path, *tracer: str) -> subprocess.CompletedProcess[str]:
        """Run it under strace."""
        words = ["strace", "--follow-forks", "--quiet=all", "--decode-fds=path", *tracer]
        environment = {**os.environ, "PYTHONPATH": str(root / "src"), **ALONE}
        return subprocess.run(
            [*words, sys.executable, *self.words[1:]],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
        )

    def contents(self, root: Path) -> dict[Path, bytes]:
        """Its outputs; of one that is a folder, all files."""
        files = [x for path in self.outputs for x in (root / path, *(root / path).rglob("*"))]
        return {x: x.read_bytes() for x in files if x.is_file()}

    def half_written(self, root: Path) -> list[Path]:
        """What lies beside its outputs and is to be none."""
        folders = {(root / path).parent for path in self.outputs}
        return [x for folder in folders for x in folder.glob(".*.part")]


@dataclass(frozen=True)
class Fault:
    """A call, by its name and its number in its thread, and how it fails."""

    stage: Stage
    call: str
    number: int
    error: str

    def inject(self, root: Path, log: Path) -> str:
        """Run the stage with it, and what came of it.

        Raises:
            AssertionError: an output is lost or damaged, or it is not told on one line.
        """
        before = self.stage.contents(root)
        how = f"--inject={self.call}:error={self.error}:when={self.number}"
        done = self.stage.start(root, f"--trace={self.call}", how, "--output", str(log))
        struck = [x for x in log.read_text().splitlines() if "(INJECTED)" in x]
        if not any(named(x, self.stage) for x in struck):
            return "struck something else"
        told = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        left = self.stage.half_written(root)
        for path in left:
            path.unlink()
        assert self.stage.contents(root) == before, f"{self}: outputs changed"
        assert "Traceback" not in done.stderr, f"{self}: {done.stderr}"
        assert not left or self.call == "unlink", f"{self}: {left} is left behind"
        assert len(told) == (done.returncode != 0), f"{self}: {done.stderr}"
        return "one line, outputs kept" if told else "went on, outputs right"


def stages(root: Path) -> Iterator[Stage]:
    """Those that have run in a folder."""
    locked = YAML(typ="safe", pure=True).load(root / "dvc.lock")["stages"]
    for name, stage in locked.items():
        outputs = tuple(out["path"] for out in stage["outs"])
        yield Stage(name, tuple(shlex.split(stage["cmd"])), outputs)


def calls(stage: Stage, root: Path, log: Path) -> dict[str, list[int]]:
    """By name, the numbers of the calls that concern the outputs of a stage."""
    names = ",".join(BY_NAME + BY_NUMBER)
    done = stage.start(root, f"--trace={names}", "--output", str(log))
    assert not done.returncode, done.stderr
    counted: Counter[tuple[str, str]] = Counter()
    found: dict[str, list[int]] = defaultdict(list)
    for line in log.read_text().splitlines():
        if call := CALL.match(line):
            counted[call["thread"], call["name"]] += 1
            if named(line, stage):
                found[call["name"]].append(counted[call["thread"], call["name"]])
    return found


def named(line: str, stage: Stage) -> bool:
    """Whether a call names an output of a stage, or what is on the way to become one."""
    call = CALL.match(line)
    if not call or (call["name"] == "openat" and "O_CREAT" not in line):
        return False
    words = call["words"]
    if call["name"] in BY_NUMBER:  # what is written may hold the name too
        words = re.match(r"\d+(<[^>]*>)?", words)[0]
    names = "|".join(re.escape(Path(path).name) for path in stage.outputs)
    return bool(re.search(rf"[/\"]\.?({names})\b", words))


@click.command()
@click.option("--faults", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(faults: int, seed: int) -> None:
    """Try so many, drawn from all calls of all stages, and print how they ended."""
    with tempfile.TemporaryDirectory() as name:
        root, log = copy_of_the_project(Path(name, "project")), Path(name, "calls")
        run(root, "dvc", "repro", **ALONE)
        every = [
            (stage, call, numbers)
            for stage in tqdm(list(stages(root)), "stages")
            for call, numbers in calls(stage, root, log).items()
        ]
        rng, ended = random.Random(seed), Counter[tuple[str, str, str]]()
        for _ in trange(faults, desc="faults"):
            stage, call, numbers = rng.choice(every)
            fault = Fault(stage, call, rng.choice(numbers), rng.choice(ERRORS))
            ended[call, fault.error, fault.inject(root, log)] += 1
    click.echo("| call | error | what came of it | times |\n| --- | --- | --- | --- |")
    for (call, error, outcome), times in sorted(ended.items()):
        click.echo(f"| {call} | {error} | {outcome} | {times} |")


if __name__ == "__main__":
    main()
