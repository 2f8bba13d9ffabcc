import json
import re
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from nicelab.commands.main import main
from nicelab.errors import InputError
from nicelab.pipeline.stage import Stage
from nicelab.pipeline.timing import NOTES, last_times, worked


@click.command(cls=Stage)
@click.option("--fail", is_flag=True)
def stage(fail: bool) -> None:
    if fail:
        raise InputError("no")
    time.sleep(0.05)
    worked(300, "images")


@pytest.fixture
def by_dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The variables that DVC sets for a stage."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_STAGE", "train")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_stage_tells_its_time_and_its_rate() -> None:
    told = CliRunner().invoke(stage).stderr
    seconds, rate = map(
        float, re.fullmatch(r"took (.+) s: 300 images, (.+) a second\n", told).groups()
    )
    assert seconds >= 0.05
    assert rate == pytest.approx(300 / seconds, rel=0.1)


def test_only_dvc_makes_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    CliRunner().invoke(stage)
    assert not list(tmp_path.iterdir())


def test_the_last_run_of_each_stage_counts(by_dvc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("train", "evaluate", "train"):
        monkeypatch.setenv("DVC_STAGE", name)
        assert CliRunner().invoke(stage).exit_code == 0
    assert len((by_dvc / NOTES).read_text().splitlines()) == 3
    notes = last_times(by_dvc)
    assert list(notes) == ["evaluate", "train"]
    assert notes["train"]["count"] == 300


def test_a_failure_and_another_process_of_the_same_stage_take_no_note(
    by_dvc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CliRunner().invoke(stage, "--fail").exit_code == 1
    monkeypatch.setenv("RANK", "1")
    assert CliRunner().invoke(stage).stderr == ""
    assert not (by_dvc / NOTES).exists()


def test_timings_are_listed_with_their_sum(by_dvc: Path) -> None:
    path = by_dvc / NOTES
    path.parent.mkdir()
    notes = (
        {"stage": "train", "seconds": 30.0, "count": 6000, "unit": "images"},
        {"stage": "report", "seconds": 10.0},
    )
    path.write_text("".join(json.dumps(note) + "\n" for note in notes))
    printed = CliRunner().invoke(main, "timings").output
    rows = {
        line.split("│")[1].strip(): line.split() for line in printed.splitlines() if "│" in line
    }
    assert {"30.0", "75.0%", "6000", "200"} <= set(rows["train"])
    assert {"10.0", "25.0%"} <= set(rows["report"])
    assert "40.0" in rows["all"]


def test_without_notes_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed = CliRunner().invoke(main, "timings")
    assert failed.exit_code == 1
    assert failed.output.startswith("Error: no stage has run here yet")
