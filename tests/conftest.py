import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from ruamel.yaml import YAML

from imports import ROOT
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.streams import generator

os.environ.pop("NICELAB_MNIST_MIRROR", None)
os.environ.pop("NICELAB_DEVICE", None)

SMALL = {
    "model": {"hidden": 64},
    "train": {"epochs": 10},
    "sample": {"samples": 100},
    "classifier": {"epochs": 5},
    "mask": {"images": 8},
    "ascend": {"images": 7},
    "gradients": {"steps": 50, "seeds": 40, "replicates": 400},
}


LONGEST = ("test_pipeline.py", "test_same_bytes.py")  # each runs the whole pipeline once


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture
def random() -> torch.Generator:
    return generator(0, "tests")


def randomise(model: torch.nn.Module, random: torch.Generator) -> None:
    """Give every weight a value, so that no layer is the identity it starts as."""
    with torch.no_grad():
        for weight in model.parameters():
            scale = weight.shape[-1] ** -0.5 if weight.ndim > 1 else 0.3
            weight.normal_(std=scale, generator=random)


@pytest.fixture
def flow(random: torch.Generator) -> NICE:
    """A small random NICE in float64."""
    model = NICE(12, Architecture(family="nice", couplings=4, hidden=16, depth=2)).double()
    randomise(model, random)
    return model


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make scratch clones of the files as they stand, with small parameters and no cache."""

    def make(name: str) -> Path:
        root = tmp_path_factory.mktemp(name)
        run(root, "git", "init", "--quiet")
        listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard")
        for line in listed.splitlines():
            source, target = ROOT / line, root / line
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        write_small_parameters(root / "params.yaml")
        return root

    return make


def write_small_parameters(path: Path) -> None:
    """The demo's, with less to do: these runs are looked at for their bytes, not their numbers."""
    yaml = YAML(typ="safe", pure=True)
    parameters = yaml.load(ROOT / "demo" / "params.yaml")
    for section, changes in SMALL.items():
        parameters[section].update(changes)
    with path.open("w") as file:
        yaml.dump(parameters, file)


@pytest.fixture(scope="session")
def finished(
    clone: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Path:
    """A scratch clone in which the whole pipeline has run on the digits.

    There is one for all processes that share the tests, and nobody changes it.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared if worker_id == "master" else shared.parent
    note = shared / "finished"
    with FileLock(shared / "finished.lock"):
        if not note.exists():
            root = clone("finished")
            run(root, "dvc", "repro")
            note.write_text(str(root))
    return Path(note.read_text())


@pytest.fixture(scope="module")
def own(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it that the tests of a module may change."""
    root = tmp_path_factory.mktemp("own") / "clone"
    shutil.copytree(finished, root, symlinks=True)
    return root


def run(root: Path, *command: str, ok: bool = True, **variables: str) -> str:
    """Run a command in a clone, with the clone's own package; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), **variables}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout if ok else done.stdout + done.stderr
