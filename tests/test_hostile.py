"""Whatever is done to parameters, files and options: one line says what is wrong, or all is well.

`pytest --hypothesis-profile=long tests/test_hostile.py` tries ten times as much, and other cases
each time.
"""

import contextlib
import random
import resource
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from ruamel.yaml import YAML

from hostile import Damage, bytes_damages, other_json, seeds, words
from imports import ROOT
from nicelab.checks import require_valid
from nicelab.commands.main import main
from nicelab.errors import InputError
from test_stages import command

pytestmark = [pytest.mark.pipeline, pytest.mark.usefixtures("threads")]
OLD = b"what was here before"
DIGESTED = (".npz", ".safetensors", ".png")
PICTURE = "digit.png"
COMMANDS = (
    ("sample", "--count", "1", "--temperature", "0.8", "--model", "nice", "--out", "drawn.png"),
    ("log-prob", PICTURE, "--draws", "2", "--seed", "1", "--model", "glow"),
    ("inpaint", PICTURE, "--mask", "top_half", "--steps", "2", "--out", "whole.png"),
    ("report", "--out", "page.html", "--params", "params.yaml"),
    ("compare", "HEAD", "--metric", "likelihood.nice.test_log_likelihood"),
    ("timings", "--help"),
)


def scaled(count: int) -> int:
    """So many examples, in the long profile ten times as many."""
    return count * settings.default.max_examples // 100


@dataclass(frozen=True, repr=False)
class Run:
    """A stage as `dvc.lock` says that it was run: its words, what it read and what it wrote."""

    name: str
    script: str
    words: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __repr__(self) -> str:
        return self.name


def runs(lock: Path) -> list[Run]:
    """Every stage that reads what another has written."""
    found = []
    for name, stage in YAML(typ="safe", pure=True).load(lock)["stages"].items():
        _, script, *words = shlex.split(stage["cmd"])
        outputs = [x["path"] for x in stage["outs"]]
        deps = [x["path"] for x in stage["deps"]]
        inputs = [x for x in words if x in deps and x not in outputs and x != "own"]
        if inputs and "data/raw" not in inputs:
            found.append(Run(name, Path(script).stem, tuple(words), tuple(inputs), tuple(outputs)))
    return found


@pytest.fixture(scope="module")
def stages(own: Path) -> Iterator[list[Run]]:
    """Those of a pipeline that has run, in whose folder the tests of this module are."""
    with contextlib.chdir(own):
        Image.new("L", (28, 28)).save(PICTURE)
        yield runs(Path("dvc.lock"))


def files_of(path: Path) -> list[Path]:
    """The files that a stage reads where it is told this path."""
    return sorted(x for x in path.rglob("*") if x.is_file()) if path.is_dir() else [path]


def start(run: Run, of: dict[str, Path | str], folder: Path) -> tuple[Result, list[Path]]:
    """Run a stage with some paths replaced, and outputs in a folder where there are old ones."""
    outputs = {}
    for k, name in enumerate(run.outputs):
        outputs[name] = folder / "out" / f"{k}-{Path(name).name}"
        outputs[name].parent.mkdir(exist_ok=True)
        outputs[name].write_bytes(OLD)
    words = [str((outputs | of).get(word, word)) for word in run.words]
    return CliRunner().invoke(command(run.script), words), list(outputs.values())


def require_told(result: Result, told: object) -> None:
    """It went well, or one line says why not."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError(f"{told}: {result.exception!r}") from result.exception
    if result.exit_code:
        lines = result.stderr.splitlines()
        assert [line[:7] for line in lines].count("Error: ") == 1, (told, result.stderr)
        usage = lines[0].startswith("Usage: ")  # which Click tells in some lines
        assert usage or len(lines) == 1, (told, result.stderr)
        assert all(map(str.isprintable, lines)), (told, lines)


@contextlib.contextmanager
def swept(word: str) -> Iterator[None]:
    """Remove what is written where a word leads, so that no example finds what another left."""
    before = set(Path().iterdir())
    yield
    for path in set(Path().iterdir()) - before:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if ".." in Path(word).parts:
        Path(word).unlink(missing_ok=True)


def require_all_or_none(result: Result, outputs: list[Path], told: object) -> None:
    """What was there is there as it was, or all is new; nothing else is left behind."""
    old = [path.read_bytes() == OLD for path in outputs]
    assert all(old) if result.exit_code else not any(old), told
    assert sorted(outputs[0].parent.iterdir()) == sorted(outputs), told


@settings(max_examples=scaled(250))
@given(data=st.data(), damage=bytes_damages)
def test_damaged_files(stages: list[Run], data: st.DataObject, damage: Damage) -> None:
    run = data.draw(st.sampled_from(stages))
    given_path = Path(data.draw(st.sampled_from(run.inputs)))
    which = data.draw(st.sampled_from(files_of(given_path)))
    if which.suffix not in DIGESTED:
        return
    with tempfile.TemporaryDirectory() as name:
        copied = Path(name, "in", given_path.name)
        copied.parent.mkdir()
        (shutil.copytree if given_path.is_dir() else shutil.copy)(given_path, copied)
        damage(copied / which.relative_to(given_path))
        told = run.name, str(which), damage.__name__
        result, outputs = start(run, {str(given_path): copied}, Path(name))
        require_told(result, told)
        require_all_or_none(result, outputs, told)


@contextlib.contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """No process may write a file beyond so many bytes, as on a disk that is full."""
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@settings(max_examples=scaled(20))
@given(data=st.data(), percent=st.integers(0, 99))
def test_no_space(stages: list[Run], data: st.DataObject, percent: int) -> None:
    """The largest output does not fit any more: one line, and all old outputs are there.

    Of training that is not true yet: where its snapshot does not fit it ends in a traceback.
    """
    run = data.draw(st.sampled_from([run for run in stages if run.script != "train"]))
    largest = max(Path(path).stat().st_size for path in run.outputs)
    size = max(len(OLD), percent * largest // 100)
    with tempfile.TemporaryDirectory() as name:
        with no_file_above(size):
            result, outputs = start(run, {}, Path(name))
        told = run.name, size
        require_told(result, told)
        assert "cannot write" in result.output, told
        require_all_or_none(result, outputs, told)


@settings(max_examples=scaled(120))
@given(data=st.data(), word=words)
def test_words_of_stages(stages: list[Run], data: st.DataObject, word: str) -> None:
    run = data.draw(st.sampled_from(stages))
    which = data.draw(st.sampled_from(run.words))
    with tempfile.TemporaryDirectory() as name, swept(word):
        result, outputs = start(run, {which: word}, Path(name))
        require_told(result, (run.name, which, word))
        if which not in run.outputs:
            require_all_or_none(result, outputs, (run.name, which, word))


@settings(max_examples=scaled(80))
@given(data=st.data(), word=words)
@pytest.mark.usefixtures("stages")
def test_words_of_commands(data: st.DataObject, word: str) -> None:
    which = list(data.draw(st.sampled_from(COMMANDS)))
    which[data.draw(st.integers(1, len(which) - 1))] = word
    with swept(word):
        require_told(CliRunner().invoke(main, which), which)


@settings(max_examples=scaled(60))
@given(seed=seeds)
def test_parameters(seed: int) -> None:
    yaml = YAML(typ="safe", pure=True)
    params = other_json(yaml.load(ROOT / "params.yaml"), random.Random(seed))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "params.yaml")
        with path.open("w") as file:
            yaml.dump(params, file)
        assert complaint(path).isprintable()


def complaint(params: Path) -> str:
    """What is wrong with parameters, nothing if nothing is."""
    try:
        require_valid(params, ROOT / "masks")
    except InputError as error:
        return error.message
    return ""
