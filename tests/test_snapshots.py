import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from imports import FAMILIES, ROOT
from nicelab.likelihood.snapshots import Snapshots
from nicelab.pipeline.artifacts import write_record
from small import image_set

STATE = {"model": {"s": torch.arange(3.0)}, "curve": [{"epoch": 1, "nats": 0.1}], "best_epoch": 1}


def test_a_state_comes_back_whole(tmp_path: Path) -> None:
    Snapshots(tmp_path / "model", 1).save(STATE)
    state = Snapshots(tmp_path / "model", 1).load()
    assert torch.equal(state["model"].pop("s"), torch.arange(3.0))
    assert {**state, "model": {}} == {**STATE, "model": {}}


def test_other_data_parameters_or_code_have_other_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Snapshots(tmp_path / "model", "data", {"seed": 0}).save(STATE)
    assert Snapshots(tmp_path / "model", "other", {"seed": 0}).load() is None
    assert Snapshots(tmp_path / "model", "data", {"seed": 1}).load() is None
    changed = tmp_path / "changed.py"
    changed.write_text("")
    monkeypatch.setattr("nicelab.pipeline.artifacts.__file__", str(changed))
    assert Snapshots(tmp_path / "model", "data", {"seed": 0}).load() is None
    monkeypatch.undo()
    assert Snapshots(tmp_path / "model", "data", {"seed": 0}).load()


def test_a_damaged_snapshot_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshots = Snapshots(tmp_path / "model")
    snapshots.save(STATE)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    assert snapshots.load() is None
    assert "is damaged: training starts anew" in capsys.readouterr().err


class Hostile:
    """Makes a file when it is unpickled without care."""

    def __init__(self, trace: Path) -> None:
        self._trace = str(trace)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self._trace,)


def test_a_snapshot_that_would_run_code_is_not_read(tmp_path: Path) -> None:
    snapshots, trace = Snapshots(tmp_path / "model"), tmp_path / "trace"
    snapshots.save({**STATE, "curve": Hostile(trace)})
    assert snapshots.load() is None
    assert not trace.exists()


def test_clearing_removes_those_of_other_trainings_and_of_other_models_not(
    tmp_path: Path,
) -> None:
    for determinant in (1, 2):
        Snapshots(tmp_path / "model", determinant).save(STATE)
    Snapshots(tmp_path / "other").save(STATE)
    (tmp_path / "..model.abc.snapshot.123.part").touch()  # killed while it was written
    Snapshots(tmp_path / "model", 1).clear()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".other.")


@pytest.fixture(params=FAMILIES)
def training(tmp_path: Path, request: pytest.FixtureRequest) -> list[str]:
    """The command of a training of a few seconds, in a folder of its own."""
    rng = np.random.default_rng(0)
    parts = (rng.integers(0, 256, (400, 784), np.uint8) for _ in range(2))
    write_record(tmp_path / "images.npz", image_set(*parts))
    parameters = YAML(typ="safe", pure=True).load(ROOT / "demo" / "params.yaml")
    parameters["model"]["nice"]["hidden"] = 64
    parameters["model"]["glow"]["levels"] = [{"steps": 1, "width": 8}]
    parameters["train"][request.param]["epochs"] = 40
    with (tmp_path / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(parameters, file)
    script = str(ROOT / "stages" / "train.py")
    return [sys.executable, script, request.param, "images.npz", "--device", "cpu"]


def outputs(folder: str) -> list[str]:
    return [f"--{kind}={folder}/{kind}" for kind in ("model", "curve", "metrics")]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_training_killed_at_random_moments_ends_with_the_same_bytes(
    tmp_path: Path, training: list[str]
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}

    def start(folder: str) -> subprocess.Popen:
        return subprocess.Popen(
            [*training, *outputs(folder)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    with start("whole") as process:
        assert "epoch 40/40" in process.stdout.read()
    moments, kills, resumed = random.Random(0), 0, 0
    while True:
        stop_after = moments.randint(1, 12) if kills < 4 else 1000  # lines of output
        with start("killed") as process:
            for line in process.stdout:
                resumed += line.startswith("going on after epoch")
                stop_after -= 1
                if stop_after == 0:
                    time.sleep(moments.uniform(0, 0.1))
                    process.send_signal(signal.SIGKILL)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        assert not (tmp_path / "killed" / "model").exists()
        kills += 1
    assert kills == 4
    assert resumed == 4
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")


@pytest.mark.slow
def test_other_parameters_do_not_go_on_from_a_snapshot(
    tmp_path: Path, training: list[str]
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [*training, *outputs("out")]
    pipe = {"stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipe) as process:
        for line in process.stdout:
            if line.startswith("epoch 3/"):
                process.kill()
    assert list((tmp_path / "out").glob(".model.*.snapshot"))
    text = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("epochs: 40", "epochs: 4"))
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("epoch 1/4")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"model", "curve", "metrics"}
