"""All parameters are checked before the first stage works."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from imports import ROOT, sections
from nicelab.checks import OF_FAMILIES, SECTIONS, require_valid
from nicelab.errors import InputError
from nicelab.pipeline.params import read_all

MASKS = ROOT / "masks"


@pytest.mark.parametrize("file", ["params.yaml", "demo/params.yaml"])
def test_what_is_committed_is_valid(file: str) -> None:
    require_valid(ROOT / file, MASKS)


def test_every_section_that_a_stage_reads_is_checked() -> None:
    read = {name for script in (ROOT / "stages").glob("*.py") for name in sections(script)}
    assert read - {"ablation"} == {*OF_FAMILIES, *SECTIONS} == set(read_all(ROOT / "params.yaml"))


def written(path: Path, changes: dict[str, Any]) -> Path:
    """The parameters with other values, by dotted names; None drops one."""
    parameters = read_all(ROOT / "params.yaml")
    for name, value in changes.items():
        *parents, last = name.split(".")
        section = parameters
        for parent in parents:
            section = section[parent]
        section[last] = value
        if value is None:
            del section[last]
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(parameters, file)
    return path


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"importance.p": 1.2}, ["importance.p must be <= 1, got 1.2"]),
        ({"families": []}, ["families: List should have at least 1 item"]),
        ({"train.glow.epochs": 0}, ["train.glow.epochs must be >= 1, got 0"]),
        ({"gradiens": {}}, ["section gradiens is unknown; did you mean gradients?"]),
        ({"sample": None}, ["section sample is missing"]),
        ({"mask.masks.scratch.file": "gone.png"}, ["gone.png: No such file"]),
        ({"mask.masks.top_half": {"label": "x", "rows": [0, 27]}}, ["top_half hides every pixel"]),
        (
            {"importance.p": 1.2, "model.nice.hiden": 3, "mask.picture": 10**6},
            [
                "importance.p must be",
                "model.nice.hiden is unknown; did",
                "mask: picture must be <",
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_told_in_one_line(
    tmp_path: Path, changes: dict[str, Any], messages: list[str]
) -> None:
    path = written(tmp_path / "params.yaml", changes)
    with pytest.raises(InputError) as caught:
        require_valid(path, MASKS)
    told = caught.value.message
    assert "\n" not in told
    assert told.count(str(path)) == 1
    assert all(message in told for message in messages)
