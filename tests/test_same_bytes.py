"""The pipeline gives the same bytes twice, and when it is killed on its way."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from conftest import run
from imports import ROOT

pytestmark = pytest.mark.pipeline

TRAINED = ("model/nice.safetensors", "results/curves/nice.csv", "results/training/nice.json")


def files(root: Path, output: str) -> dict[Path, bytes]:
    """What a stage wrote, be it a file or a folder of files."""
    path = root / output
    found = [x for x in path.rglob("*") if x.is_file()] if path.is_dir() else [path]
    return {x.relative_to(root): x.read_bytes() for x in found}


def test_two_clean_runs_give_the_same_bytes(clone: Callable[[str], Path], finished: Path) -> None:
    """The second is without DVC and in one process: what a stage leaves there changes no other."""
    again, lock = clone("again"), finished / "dvc.lock"
    run(again, sys.executable, str(ROOT / "tests" / "replay.py"), str(lock), NICELAB_DEVICE="cpu")
    outputs = [
        out["path"]
        for stage in YAML(typ="safe", pure=True).load(lock)["stages"].values()
        for out in stage["outs"]
    ]
    assert "report/report.html" in outputs
    for output in outputs:
        assert files(again, output) == files(finished, output), output


def test_a_killed_run_goes_on_and_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    """DVC and the training under it are killed together, as by a power cut."""
    root = tmp_path / "killed"
    shutil.copytree(finished, root, symlinks=True, ignore=shutil.ignore_patterns("cache"))
    for output in TRAINED:
        (root / output).unlink()
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    how = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    command = ["dvc", "repro", "train@nice"]
    with subprocess.Popen(command, cwd=root, env=environment, **how) as process:
        for line in process.stdout:
            if line.startswith("epoch 5/"):
                os.killpg(process.pid, signal.SIGKILL)
    assert not (root / "model" / "nice.safetensors").exists()
    assert "going on after epoch" in run(root, "dvc", "repro", "train@nice")
    for output in TRAINED:
        assert (root / output).read_bytes() == (finished / output).read_bytes()
