import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings
from ruamel.yaml import YAML

from imports import FAMILIES, ROOT
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.streams import generator

os.environ.pop("NICELAB_MNIST_MIRROR", None)
os.environ.pop("NICELAB_DEVICE", None)

# Examples are the same at each run, so that a failure is of the change; `long` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile("same")

# The first runs the pipeline; what looks at that run comes when it is there.
EARLY = (
    "test_pipeline.py",
    "test_comparison.py",
    "test_ranks.py",
    "test_snapshots.py",
    "test_trials.py",
    "test_browser.py",
    "test_same_bytes.py",
    "test_remote.py",
    "test_stages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no process is left alone with it at the end."""
    rank = dict(zip(EARLY, range(-len(EARLY), 0), strict=True))
    items.sort(key=lambda item: rank.get(item.path.name, 0))


@pytest.fixture
def threads() -> Iterator[None]:
    """Leave the number of threads as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


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
    """Make scratch clones of the files as they stand, with small parameters and nothing run."""
    return lambda name: copy_of_the_project(tmp_path_factory.mktemp(name))


def copy_of_the_project(root: Path) -> Path:
    """The files as they stand, in a folder, with small parameters and nothing run."""
    root.mkdir(exist_ok=True)
    run(root, "git", "init", "--quiet")
    listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard")
    for line in listed.splitlines():
        source, target = ROOT / line, root / line
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    write_small_parameters(root / "params.yaml")
    (root / "dvc.lock").unlink()  # half of DVC's time is to write it whole after each stage
    return root


def write_small_parameters(path: Path) -> None:
    """The demo's with the values of `tests/params.yaml`, of sections and of their families."""
    yaml = YAML(typ="safe", pure=True)
    parameters, changes = (yaml.load(ROOT / x / "params.yaml") for x in ("demo", "tests"))
    for section, values in changes.items():
        families = {x: parameters[section][x] | values[x] for x in FAMILIES if x in values}
        parameters[section] |= values | families
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
