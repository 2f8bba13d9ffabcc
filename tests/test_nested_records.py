from dataclasses import dataclass

import numpy as np
import pytest

from nicelab.records import Record, key


@dataclass(frozen=True)
class Point(Record):
    value: np.ndarray = key("")
    standard_error: np.ndarray


@dataclass(frozen=True)
class Walk(Record):
    relative: np.ndarray = key("relative_{}")
    paths: np.ndarray = key("paths_{}")


@dataclass(frozen=True)
class Everything(Record):
    ticks: np.ndarray
    other: dict[str, np.ndarray] = key("other_{}_x")
    coverage: dict[str, Point] = key("coverage_{}")
    coverage_q: np.ndarray
    walks: dict[str, Walk] = key("{}")
    named: dict[str, Walk] = key("{}_at_night")
    ends: np.ndarray | None = None


def numbered(kind: type[Record]) -> Record:
    """A nested record of two different arrays."""
    one, two = kind.__dataclass_fields__
    return kind(**{one: np.arange(2), two: np.arange(3)})


FOUND = Everything(
    ticks=np.arange(4),
    other={"digits": np.ones(1)},
    coverage={"normal": numbered(Point), "log_normal": numbered(Point)},
    coverage_q=np.zeros(5),
    walks={"crude": numbered(Walk), "crude_too": numbered(Walk)},
    named={"doob": numbered(Walk)},
)
NAMES = [
    "ticks",
    "other_digits_x",
    "coverage_normal",
    "coverage_normal_standard_error",
    "coverage_log_normal",
    "coverage_log_normal_standard_error",
    "coverage_q",
    "relative_crude",
    "paths_crude",
    "relative_crude_too",
    "paths_crude_too",
    "relative_doob_at_night",
    "paths_doob_at_night",
]


def test_names_and_their_order() -> None:
    """A nested field's name follows the key, surrounds it, or is left out."""
    assert list(FOUND.to_arrays()) == NAMES


def test_a_record_is_read_as_it_was_written() -> None:
    arrays = FOUND.to_arrays()
    again = Everything.from_arrays(arrays)
    assert list(again.to_arrays()) == NAMES
    for name, x in again.to_arrays().items():
        np.testing.assert_array_equal(x, arrays[name])
    assert again.walks.keys() == {"crude", "crude_too"}
    assert again.named.keys() == {"doob"}
    assert again.coverage.keys() == {"normal", "log_normal"}
    assert again.ends is None


@pytest.mark.parametrize("name", ["ticks", "paths_crude", "coverage_normal_standard_error"])
def test_a_missing_array_is_an_error(name: str) -> None:
    arrays = FOUND.to_arrays()
    del arrays[name]
    with pytest.raises(KeyError):
        Everything.from_arrays(arrays)


def test_an_unknown_array_is_an_error() -> None:
    with pytest.raises(KeyError, match="strange"):
        Everything.from_arrays({**FOUND.to_arrays(), "strange": np.zeros(1)})
