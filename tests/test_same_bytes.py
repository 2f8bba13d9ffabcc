"""The pipeline gives the same bytes twice, and when it is killed on its way.

These runs have a module of their own, so that another process can make `finished` meanwhile.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import run

pytestmark = pytest.mark.pipeline


def test_two_clean_runs_give_the_same_bytes(
    clone: Callable[[str], Path], request: pytest.FixtureRequest
) -> None:
    """`dvc.lock` holds the digest of every output."""
    again = clone("again")
    run(again, "dvc", "repro", NICELAB_DEVICE="cpu")
    finished = request.getfixturevalue("finished")  # made meanwhile, by another process
    assert (again / "dvc.lock").read_text() == (finished / "dvc.lock").read_text()


def test_a_killed_run_goes_on_and_gives_the_same_bytes(
    clone: Callable[[str], Path], request: pytest.FixtureRequest
) -> None:
    """DVC and the training under it are killed together, as by a power cut."""
    root = clone("killed")
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    how = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    command = ["dvc", "repro", "train"]
    with subprocess.Popen(command, cwd=root, env=environment, **how) as process:
        for line in process.stdout:
            if line.startswith("epoch 5/"):
                os.killpg(process.pid, signal.SIGKILL)
    assert not (root / "model" / "nice.safetensors").exists()
    assert "going on after epoch" in run(root, "dvc", "repro", "train")
    finished = request.getfixturevalue("finished")
    for output in ("model/nice.safetensors", "results/training.csv", "results/training.json"):
        assert (root / output).read_bytes() == (finished / output).read_bytes()
