"""Run what a `dvc.lock` says was run, without DVC and in one process, which imports torch once."""

import runpy
import shlex
import sys
from pathlib import Path

from ruamel.yaml import YAML


def replay(lock: Path) -> None:
    """Each command in turn, in the current folder."""
    for stage in YAML(typ="safe", pure=True).load(lock)["stages"].values():
        _, *sys.argv = shlex.split(stage["cmd"])
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    replay(Path(sys.argv[1]))
