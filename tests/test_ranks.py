import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from imports import FAMILIES, FIRST, ROOT
from nicelab.flows import checkpoint
from nicelab.machine.ranks import Ranks
from nicelab.pipeline.artifacts import read_metrics, read_table, write_record
from small import image_set

pytestmark = pytest.mark.slow

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
SCRIPT = str(ROOT / "stages" / "train.py")


@pytest.mark.parametrize("n", [6, 7])
def test_shares_are_disjoint_and_complete(n: int) -> None:
    shares = [Ranks(rank, 3).share(torch.arange(n)) for rank in range(3)]
    assert sorted(torch.cat(shares).tolist()) == list(range(n))


def test_one_process_has_everything() -> None:
    alone = Ranks()
    x = torch.arange(5.0)
    assert torch.equal(alone.merge(alone.share(x), 5), x)
    assert torch.equal(alone.total(x), x)
    module = torch.nn.Linear(2, 2)
    assert alone.average_gradients(module) is module
    assert alone.same("state") == "state"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with correlated grey levels, and a small model with an odd batch to train."""
    rng = np.random.default_rng(0)
    half = rng.integers(0, 256, (500, 392), np.uint8)
    pixels = np.stack([half, half // 2], axis=-1).reshape(500, 784)
    write_record(tmp_path / "images.npz", image_set(pixels[:400], pixels[400:]))
    parameters = YAML(typ="safe", pure=True).load(ROOT / "demo" / "params.yaml")
    parameters["model"]["nice"]["hidden"] = 32
    parameters["model"]["glow"]["levels"] = [{"steps": 2, "width": 8}]
    for family in FAMILIES:
        parameters["train"][family].update(batch=51, epochs=5, precision="float32")
    write_parameters(tmp_path, parameters)
    return tmp_path


def write_parameters(folder: Path, parameters: dict) -> None:
    with (folder / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(parameters, file)


def start(work: Path, launcher: list[str], out: str, family: str = FIRST) -> subprocess.Popen:
    options = [f"--{kind}={out}/{kind}" for kind in ("model", "curve", "metrics")]
    return subprocess.Popen(
        [*launcher, SCRIPT, family, "images.npz", "--device", "cpu", *options],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_two_processes_train_as_one(work: Path, family: str) -> None:
    """The same inputs in the same batches: the results differ by rounding alone.

    Were the noise or the order different, or the gradients not averaged, the likelihoods would
    differ by whole nats.
    """
    outputs = []
    for launcher, out in ([sys.executable], "one"), (TORCHRUN, "two"):
        with start(work, launcher, out, family) as process:
            outputs.append(process.stdout.read())
        assert process.returncode == 0, outputs[-1]
    assert outputs[1].count("epoch 5/5") == 1
    one, two = (read_table(work / out / "curve") for out in ("one", "two"))
    for name, column in one.items():
        np.testing.assert_allclose(two[name], column, rtol=1e-4)
    weights = [
        checkpoint.load(work / out / "model", torch.device("cpu"))[0].state_dict()
        for out in ("one", "two")
    ]
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, rtol=1e-3, atol=1e-3)
    assert [read_metrics(work / out / "metrics")["processes"] for out in ("one", "two")] == [1, 2]


def children(process: subprocess.Popen) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(pid) for pid in listed.stdout.split()]


def test_a_process_that_dies_ends_the_run_and_its_rest_goes_on_later(work: Path) -> None:
    text = (work / "params.yaml").read_text()
    (work / "params.yaml").write_text(text.replace("epochs: 5", "epochs: 40"))
    printed = []
    with start(work, TORCHRUN, "out") as process:
        for line in process.stdout:
            printed.append(line)
            if line.startswith("epoch 3/"):
                os.kill(children(process)[-1], signal.SIGKILL)
        process.wait(timeout=60)
    assert process.returncode != 0
    assert any("exitcode  : -9" in line for line in printed)
    assert not (work / "out" / "model").exists()
    with start(work, TORCHRUN, "out") as process:
        assert "going on after epoch" in process.stdout.read()
    assert process.returncode == 0


def test_the_benchmark_of_scaling_runs() -> None:
    script = ROOT / "benchmarks" / "scaling.py"
    done = subprocess.run(
        [*TORCHRUN, script, "--batch=2", "--steps=6", "--device=cpu"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 processes of 1 threads on cpu, batch 2: ")


def test_a_batch_too_small_to_share(work: Path) -> None:
    text = (work / "params.yaml").read_text()
    (work / "params.yaml").write_text(text.replace("batch: 51", "batch: 1"))
    with start(work, TORCHRUN, "out") as process:
        printed = process.stdout.read()
    assert process.returncode != 0
    assert "Error: train.batch must be >= 2, the number of processes that share it" in printed
