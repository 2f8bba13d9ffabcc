from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from nicelab.errors import InputError
from nicelab.pipeline.params import Section, flatten, load, read_all


class Sampler(Section):
    paths: Annotated[int, Field(ge=1)]
    rate: Annotated[float, Field(gt=0, lt=1)]
    kind: Literal["fast", "slow"]
    span: Annotated[list[int], Field(min_length=2, max_length=2)]


GOOD = {"paths": "5", "rate": "1e-3", "kind": "fast", "span": "[1, 2]"}


def write(folder: Path, **changes: str | None) -> Path:
    values = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    path = folder / "params.yaml"
    path.write_text("sampler:\n" + "".join(f"  {k}: {v}\n" for k, v in values.items()))
    return path


def test_reads_exponents_without_a_point_as_numbers(tmp_path: Path) -> None:
    assert load(write(tmp_path), "sampler", Sampler).rate == 1e-3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paths": "-5"}, r"sampler\.paths must be >= 1, got -5 \(.*params\.yaml\)"),
        ({"rate": "1.5"}, r"sampler\.rate must be < 1, got 1\.5"),
        ({"rate": "0"}, r"sampler\.rate must be > 0, got 0"),
        ({"rate": ".nan"}, r"sampler\.rate must be a finite number, got nan"),
        ({"rate": ".inf"}, r"sampler\.rate must be a finite number, got inf"),
        ({"paths": "2.5"}, r"sampler\.paths must be a valid integer, got 2\.5"),
        ({"paths": "many"}, r"sampler\.paths must be a valid integer, got 'many'"),
        ({"paths": "true"}, r"sampler\.paths must be a valid integer, got True"),
        ({"paths": f"'{300 * 'x'}'"}, r"got 'x{119}… \("),
        ({"kind": "quick"}, r"sampler\.kind must be 'fast' or 'slow', got 'quick'"),
        ({"paths": None}, r"sampler\.paths is missing"),
        ({"pahts": "5"}, r"sampler\.pahts is unknown; did you mean paths\?"),
        ({"zzz": "5"}, r"sampler\.zzz is unknown \("),
        ({"span": "[1]"}, r"sampler\.span: List should have at least 2 items"),
    ],
)
def test_bad_values_name_the_parameter_what_was_expected_and_given(
    tmp_path: Path, changes: dict[str, str | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load(write(tmp_path, **changes), "sampler", Sampler)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sampelr: {}", "section sampler is missing; did you mean sampelr?"),
        ("a: [1", "is not valid YAML"),
        ("a: 1\na: 2", "is not valid YAML.*duplicate key"),
        ("just words", "must hold sections"),
        ("sampler: 3", "sampler must be a valid dictionary or instance of Sampler, got 3"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load(path, "sampler", Sampler)
    assert "\n" not in error.value.message


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the parameters: .*nowhere.yaml"):
        read_all(tmp_path / "nowhere.yaml")


def test_sections_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(write(tmp_path), "sampler", Sampler).paths = 3


def test_flatten() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": [2]}}) == {"a.b.c": 1, "a.d": [2]}


def test_a_part_of_a_section(tmp_path: Path) -> None:
    """Such as a family's, which need not say again whose it is."""
    path = tmp_path / "params.yaml"
    path.write_text("sampler:\n  one: {paths: 5, rate: 0.5, span: [1, 2]}\n  two: 3\n")
    found = load(path, "sampler", Sampler, of="one", given={"kind": "fast"})
    assert (found.paths, found.kind) == (5, "fast")
    with pytest.raises(InputError, match=r"sampler\.one\.kind is missing"):
        load(path, "sampler", Sampler, of="one")
    with pytest.raises(InputError, match=r"section sampler\.ones is missing; did you mean one\?"):
        load(path, "sampler", Sampler, of="ones")
    with pytest.raises(InputError, match=r"sampler\.two must be a valid dictionary"):
        load(path, "sampler", Sampler, of="two")
