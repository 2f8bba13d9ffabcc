"""Which families there are, and which the pipeline is run for."""

from pathlib import Path

import pytest

from imports import ROOT
from nicelab.errors import InputError
from nicelab.flows.names import chosen, names
from nicelab.pipeline.params import read_all


def test_every_package_is_a_family() -> None:
    assert "nice" in names()
    for path in ("params.yaml", "demo/params.yaml"):
        assert set(chosen(ROOT / path)) <= set(names())


@pytest.mark.parametrize("path", ["params.yaml", "demo/params.yaml"])
def test_every_family_has_its_sections(path: str) -> None:
    sections = read_all(ROOT / path)
    for section in ("model", "train"):
        assert list(sections[section]) == sections["families"]


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ("[]", "families: List should have at least 1 item"),
        ("nice", "families must be a valid list, got 'nice'"),
        ("[nice, nice]", "families: must be different families, got nice, nice"),
        ("[nice, real_nvp]", r"families.1: must be one of .*nice.*, got 'real_nvp'"),
    ],
)
def test_bad_families_are_one_line(tmp_path: Path, families: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"families: {families}\n")
    with pytest.raises(InputError, match=message) as error:
        chosen(path)
    assert "\n" not in error.value.message
