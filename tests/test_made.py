"""What a page for a reader says of when, where and from which commit it was made."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from nicelab.pipeline.timing import NOTES
from nicelab.report.made import made_here


def git(*arguments: str) -> str:
    return subprocess.check_output(
        ["git", "-c", "user.name=n", "-c", "user.email=n@e", *arguments], text=True
    ).strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as the current folder."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    Path("params.yaml").write_text("a: 1\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_commit_the_day_and_the_machine() -> None:
    made = made_here()
    assert git("rev-parse", "HEAD").startswith(made.commit)
    assert len(made.commit) == 10
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", made.date)
    assert re.fullmatch(r".+, \d+ cores", made.machine)
    assert not made.times.rows
    Path("params.yaml").write_text("a: 2\n")
    assert made_here().commit == f"{made.commit} and changes that are in no commit"


def test_the_times_of_the_last_runs(project: Path) -> None:
    (project / NOTES).parent.mkdir()
    notes = [{"stage": "train", "seconds": x, "count": 30, "unit": "images"} for x in (9, 3)]
    (project / NOTES).write_text("".join(f"{json.dumps(note)}\n" for note in notes))
    assert made_here().times.rows == [("train", "3.0 s: 30 images, 10 a second")]


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://example.org/a/b.git", "https://example.org/a/b"),
        ("https://somebody:secret@example.org/a/b", "https://example.org/a/b"),
        ("git@example.org:a/b.git", "https://example.org/a/b"),
        ("ssh://git@example.org/a/b", "https://example.org/a/b"),
        ("/home/somebody/b", None),
        ("https://example.org/a/b?token=secret", None),
        (None, None),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_repository_on_the_web_has_an_address(remote: str | None, address: str | None) -> None:
    if remote:
        git("remote", "add", "origin", remote)
    assert made_here().address == address


def test_there_may_be_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (made_here().commit, made_here().address) == ("none", None)
