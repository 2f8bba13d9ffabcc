from dataclasses import dataclass

import numpy as np
import pytest

from nicelab.records import Record, key


@dataclass(frozen=True)
class Trace(Record):
    images: np.ndarray
    error: np.ndarray
    frames: np.ndarray | None = None


@dataclass(frozen=True)
class Sheet(Record):
    image: np.ndarray = key("")
    trace: np.ndarray


@dataclass(frozen=True)
class Walk(Record):
    relative: np.ndarray = key("relative_{}")
    chips: np.ndarray = key("chips_{}")


@dataclass(frozen=True)
class Study(Record):
    tolerance: np.ndarray
    traces: dict[str, Trace] = key("{}")
    sheets: dict[str, Sheet] = key("sheet_{}")
    paths: dict[str, np.ndarray] = key("paths_{}")
    walks: dict[str, Walk] = key("{}")
    at_night: dict[str, Walk] = key("{}_at_night")
    spectrum: np.ndarray | None = None


def study() -> Study:
    x = iter(np.arange(100.0))
    one = Trace(np.array([next(x)]), np.array([next(x)]), frames=np.array([next(x)]))
    two = Trace(np.array([next(x)]), np.array([next(x)]))
    sheet = Sheet(image=np.array([next(x)]), trace=np.array([next(x)]))
    return Study(
        tolerance=np.array(0.1),
        traces={"grey": one, "sheet_as_printed": two},
        sheets={"as_printed": sheet},
        paths={"crude": np.array([next(x)])},
        walks={
            name: Walk(relative=np.array([next(x)]), chips=np.array([next(x)]))
            for name in ("crude", "crude_too")
        },
        at_night={"doob": Walk(relative=np.array([next(x)]), chips=np.array([next(x)]))},
    )


NAMES = [
    "tolerance",
    "grey_images",
    "grey_error",
    "grey_frames",
    "sheet_as_printed_images",
    "sheet_as_printed_error",
    "sheet_as_printed",
    "sheet_as_printed_trace",
    "paths_crude",
    "relative_crude",
    "chips_crude",
    "relative_crude_too",
    "chips_crude_too",
    "relative_doob_at_night",
    "chips_doob_at_night",
]


def test_names_are_those_of_the_fields_in_their_order() -> None:
    assert list(study().to_arrays()) == NAMES


def test_what_was_written_comes_back() -> None:
    """Also where a name fits two fields: the more specific one is meant."""
    again = Study.from_arrays(study().to_arrays())
    assert list(again.traces) == ["grey", "sheet_as_printed"]
    assert again.traces["sheet_as_printed"].frames is None
    assert again.spectrum is None
    assert isinstance(again.sheets["as_printed"], Sheet)
    for name, array in study().to_arrays().items():
        assert np.array_equal(again.to_arrays()[name], array)
    assert list(again.to_arrays()) == NAMES


@pytest.mark.parametrize(
    "name", ["tolerance", "grey_error", "sheet_as_printed_trace", "chips_crude"]
)
def test_a_missing_array_is_named(name: str) -> None:
    arrays = study().to_arrays()
    del arrays[name]
    with pytest.raises(KeyError, match=name):
        Study.from_arrays(arrays)


def test_a_misspelt_array_is_named() -> None:
    with pytest.raises(KeyError, match="tolerence"):
        Study.from_arrays({**study().to_arrays(), "tolerence": np.array(0.1)})
