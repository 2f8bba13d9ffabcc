"""Run what a `dvc.lock` says was run, without DVC and in one process, which imports torch once."""

import runpy
import shlex
import sys
from graphlib import TopologicalSorter
from pathlib import Path, PurePath
from typing import Any

from ruamel.yaml import YAML


def paths(stage: dict[str, Any], of: str) -> list[PurePath]:
    """What a stage reads (`deps`) or writes (`outs`)."""
    return [PurePath(x["path"]) for x in stage.get(of, [])]


def ordered(stages: dict[str, Any]) -> list[str]:
    """Each stage after those that write what it reads: a lock keeps the order of its history."""
    writers = {out: name for name, stage in stages.items() for out in paths(stage, "outs")}
    return [
        *TopologicalSorter(
            {
                name: {
                    writer
                    for out, writer in writers.items()
                    if any(out.is_relative_to(dep) for dep in paths(stage, "deps"))
                }
                for name, stage in stages.items()
            }
        ).static_order()
    ]


def replay(lock: Path) -> None:
    """Each command in turn, in the current folder."""
    stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    for name in ordered(stages):
        _, *sys.argv = shlex.split(stages[name]["cmd"])
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    replay(Path(sys.argv[1]))
