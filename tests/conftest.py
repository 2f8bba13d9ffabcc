import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from imports import ROOT
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.streams import generator

os.environ.pop("NICELAB_MNIST_MIRROR", None)
os.environ.pop("NICELAB_DEVICE", None)


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
    """Make scratch clones of the files as they stand, with the demo's parameters and no cache."""

    def make(name: str) -> Path:
        root = tmp_path_factory.mktemp(name)
        run(root, "git", "init", "--quiet")
        listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard")
        for line in listed.splitlines():
            source, target = ROOT / line, root / line
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        shutil.copy(ROOT / "demo" / "params.yaml", root / "params.yaml")
        return root

    return make


@pytest.fixture(scope="session")
def finished(clone: Callable[[str], Path]) -> Path:
    """A scratch clone in which the whole pipeline has run on the digits."""
    root = clone("finished")
    run(root, "dvc", "repro")
    return root


def run(root: Path, *command: str, ok: bool = True, **variables: str) -> str:
    """Run a command in a clone, with the clone's own package; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), **variables}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout if ok else done.stdout + done.stderr
