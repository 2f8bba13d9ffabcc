"""What every stage does beside its work: checks, the lock file, memory, all outputs or none."""

import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from imports import ROOT
from nicelab.commands.main import main
from nicelab.errors import InputError
from nicelab.machine.memory import require_memory
from nicelab.pipeline.files import require_writable, together, writing, writing_folder
from nicelab.pipeline.options import PATH
from nicelab.pipeline.order import order
from nicelab.pipeline.stage import LOCK, VALID, Stage


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with parameters, masks and a lock, as DVC shows it to a stage."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "masks", tmp_path / "masks")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(work: Callable[[], None]) -> click.Command:
    """A stage that does this."""
    return Stage("stage", callback=work)


def write(name: str, text: str) -> None:
    with writing(Path(name)) as temporary:
        temporary.write_text(text)


def test_any_stage_refuses_a_mistake_in_the_last_section(project: Path) -> None:
    params = project / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("p: 18/37", "p: 1.2"))
    outcome = CliRunner().invoke(of(lambda: write("out", "new")))
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: importance.p must be")
    assert not (project / "out").exists()
    params.write_text(text)
    assert CliRunner().invoke(of(lambda: write("out", "new"))).exit_code == 0


def test_a_stage_says_which_of_how_many_it_is(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC's own order; stages of another pipeline are counted apart."""
    names = "prepare\ntrain@nice\ntrain@glow\nreplicates/dvc.yaml:replicate@nice-1"
    calls = []
    monkeypatch.setattr("nicelab.pipeline.order.order", lambda _: calls.append(1) or names.split())
    told = {}
    for name in [*names.split(), "unknown"]:
        monkeypatch.setenv("DVC_STAGE", name)
        told[name] = CliRunner().invoke(of(lambda: None)).stderr
    assert told["train@glow"].startswith("stage 3 of 3\n")
    assert told["replicates/dvc.yaml:replicate@nice-1"].startswith("stage 1 of 1\n")
    assert told["unknown"].startswith("took")
    assert len(calls) == 1
    (project / "dvc.yaml").write_text("stages: {}")
    CliRunner().invoke(of(lambda: None))
    assert len(calls) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in what DVC uses
def test_the_order_is_that_of_the_pipeline() -> None:
    found = order(ROOT)
    assert found.index("prepare") < found.index("train@nice") < found.index("evaluate@nice")
    assert found[0] == "download"
    assert "ablation/dvc.yaml:ablate@glow-complete-0" in found


def test_there_is_no_order_outside_a_project(tmp_path: Path) -> None:
    assert order(tmp_path) == []


def test_parameters_are_checked_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("nicelab.checks.require_valid", lambda *_: calls.append(1))
    for _ in range(3):
        CliRunner().invoke(of(lambda: None))
    assert len(calls) == 1
    (project / "params.yaml").write_text("train: {}")
    CliRunner().invoke(of(lambda: None))
    assert len(calls) == 2
    assert (project / VALID).exists()


def test_a_half_written_lock_is_put_right(project: Path) -> None:
    CliRunner().invoke(of(lambda: None))
    whole = (project / "dvc.lock").read_bytes()
    assert (project / LOCK).read_bytes() == whole
    for damage in (b"schema: '2.0'\nstages:\n  train:\n    cm", b"schema: '2.", b"\0", b""):
        (project / "dvc.lock").write_bytes(damage)
        told = CliRunner().invoke(main, ["check"]).stdout
        assert told.startswith("dvc.lock    was damaged")
        assert (project / "dvc.lock").read_bytes() == whole
    (project / LOCK).unlink()
    (project / "dvc.lock").write_bytes(b"schema: '2.")
    outcome = CliRunner().invoke(main, ["check"])
    assert outcome.stderr.startswith("Error: dvc.lock is damaged and there is no copy of it")


@pytest.mark.parametrize("damage", [b"", b'{"a": {', b"\0", b"[1]"])
def test_a_half_written_note_of_processes_is_removed(project: Path, damage: bytes) -> None:
    """DVC refuses to begin before it is gone; one that is whole is left alone."""
    note = project / ".dvc" / "tmp" / "rwlock"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_bytes(b"{}")
    assert "rwlock" not in CliRunner().invoke(main, ["check"]).stdout
    note.write_bytes(damage)
    assert "rwlock was half-written" in CliRunner().invoke(main, ["check"]).stdout
    assert not note.exists()


def fill_memory() -> None:
    raise MemoryError("Unable to allocate 931. GiB")


@pytest.mark.parametrize(
    "work", [fill_memory, lambda: torch.empty(2**55), lambda: np.empty(2**46, np.float64)]
)
def test_full_memory_is_said_on_one_line(work: Callable[[], None]) -> None:
    outcome = CliRunner().invoke(of(work))
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: memory is full (")
    assert outcome.stderr.count("\n") == 1


def test_other_failures_are_not_mistaken_for_it() -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    assert isinstance(CliRunner().invoke(of(fail)).exception, RuntimeError)


def test_what_cannot_be_in_memory_is_refused_before_the_work() -> None:
    require_memory(1e3, "this", "no need")
    with pytest.raises(InputError, match="that needs 9.31e.05 GiB of memory, of .*: lower it"):
        require_memory(1e15, "that", "lower it")


def test_all_outputs_of_a_stage_appear_or_none(tmp_path: Path) -> None:
    """The second cannot be written: the first keeps what it had."""

    def work() -> None:
        write(str(tmp_path / "arrays"), "new")
        with writing(tmp_path / "metrics") as temporary:
            temporary.write_text("ne")
            raise OSError(28, "No space left on device")

    (tmp_path / "arrays").write_text("old")
    outcome = CliRunner().invoke(of(work))
    assert outcome.stderr == f"Error: cannot write {tmp_path}/metrics: No space left on device\n"
    assert (tmp_path / "arrays").read_text() == "old"
    assert [x.name for x in tmp_path.iterdir()] == ["arrays"]


@pytest.mark.parametrize("fails", range(1, 6))
def test_if_one_file_cannot_be_moved_all_are_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    """Two were there before and one was not: five renames, of which one fails in turn."""
    rename, calls = Path.replace, []

    def replace(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    for name in ("a", "c"):
        (tmp_path / name).write_text("old")
    monkeypatch.setattr(Path, "replace", replace)
    outcome = CliRunner().invoke(of(lambda: [write(str(tmp_path / x), "new") for x in "abc"]))
    assert re.fullmatch("Error: cannot write .*/[abc]: Input/output error\n", outcome.stderr)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "c": "old"}


def test_what_must_not_wait_does_not(tmp_path: Path) -> None:
    with together():
        write(str(tmp_path / "later"), "")
        with writing(tmp_path / "now", at_once=True) as temporary:
            temporary.write_text("")
        assert [x.name for x in tmp_path.iterdir() if x.suffix != ".part"] == ["now"]
    assert {x.name for x in tmp_path.iterdir()} == {"later", "now"}


def test_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    """Not what a living process is writing, nor what looks alike."""
    alive = os.getppid()
    for name in (".x.999999999.part", f".x.{alive}.part", ".x.y.part", ".other.999999999.part"):
        (tmp_path / name).write_text("half")
    require_writable(tmp_path / "x")
    kept = {f".x.{alive}.part", ".x.y.part", ".other.999999999.part"}
    assert {x.name for x in tmp_path.iterdir()} == kept
    (tmp_path / ".raw.999999999.part").mkdir()
    with writing_folder(tmp_path / "raw"):
        pass
    assert {x.name for x in tmp_path.iterdir()} == kept | {"raw"}


@click.command()
@click.argument("place", type=PATH)
def take(place: Path) -> None:
    click.echo(place)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("a\nb", "'PLACE' must be a path of printable letters"),
        ("x" * 300, "'PLACE' must have names of at most 200 bytes, got xxxx"),
        ("folder/" + "é" * 150 + "/y", "'PLACE' must have names of at most 200 bytes"),
        ("/dev/zero", "'PLACE' must be a file or a folder, got the device or pipe /dev/zero"),
        ("/dev/full", "must be a file or a folder"),
    ],
)
def test_paths_that_are_none(given: str, message: str) -> None:
    outcome = CliRunner().invoke(take, [given])
    assert outcome.exit_code == 1
    assert message in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    outcome = CliRunner().invoke(take, [str(tmp_path / "pipe")])
    assert "must be a file or a folder, got the device or pipe" in outcome.stderr


@pytest.mark.parametrize("given", ["data/images.npz", "Übung 1.png", "../shared"])
def test_usual_paths(given: str) -> None:
    assert CliRunner().invoke(take, [given]).stdout == f"{given}\n"
