"""Metrics as a reader sees them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nicelab.errors import InputError
from nicelab.statistics import Estimate


class Metrics(dict[str, Any]):
    """Metrics as they were read: estimates, numbers and text in nested dictionaries.

    An entry that is looked up and is not there is the file's fault, and is named as such.
    """

    def __init__(self, items: Mapping[str, Any], path: Path, place: str = "") -> None:
        super().__init__({k: _from_json(item, path, f"{place}{k}") for k, item in items.items()})
        self._path, self._place = path, place

    def __missing__(self, name: str) -> None:
        raise InputError(
            f"{self._path} does not hold {self._place}{name}: make it again with `dvc repro`"
        )


def _from_json(item: Any, path: Path, place: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(item, dict):
        return item
    if item.keys() == {"value", "standard_error", "n"}:
        return Estimate(**item)
    return Metrics(item, path, f"{place}.")
