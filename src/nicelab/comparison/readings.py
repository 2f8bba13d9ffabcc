"""Metrics of a revision, read from what its files hold."""

import math
from collections.abc import Mapping
from typing import Any

from nicelab.errors import InputError
from nicelab.statistics import Estimate

LABELS = "labels"  # entry of a file: what a reader calls the others
HEADLINE = {"value", "standard_error"}
ESTIMATE = {*HEADLINE, "n"}

Readings = dict[str, Estimate | str]


def readings(files: Mapping[str, Mapping[str, Any]], path: str = "results/{}.json") -> Readings:
    """All metrics as `{"likelihood.nice.test.log_likelihood": Estimate(…), …}`.

    A bare number is exact; whatever else has no parts is text. What a file calls its entries is no
    metric. Where it is not told how many samples an estimate comes from, n is 0.

    Args:
        files: content of each file, as JSON, by its name, such as `likelihood/nice`.
        path: of each file, and the revision if there are several, for messages.

    Raises:
        InputError: something is no finite number.
    """
    flat: Readings = {}
    for file, metrics in files.items():
        entries = {name: x for name, x in metrics.items() if name != LABELS}
        for name, reading in _flatten(entries, "", path.replace("{}", file)).items():
            flat[f"{file.replace('/', '.')}.{name}"] = reading
    return flat


def only_headlines(readings: Readings, where: str) -> Readings:
    """The same, once it is known that they are numbers with their errors and nothing else.

    Raises:
        InputError: they are not.
    """
    for name, reading in readings.items():
        if isinstance(reading, str) or reading.n > 1:
            raise InputError(
                f"{where} holds {name}, which is no headline: compare such a revision with --all"
            )
    return readings


def _flatten(metrics: Mapping[str, Any], prefix: str, file: str) -> Readings:
    flat: Readings = {}
    for key, item in metrics.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping) and HEADLINE <= set(item):
            flat[name] = _estimate(item, f"{name} in {file}")
        elif isinstance(item, Mapping):
            flat |= _flatten(item, f"{name}.", file)
        elif _is_number(item):
            flat[name] = _estimate({"value": item, "standard_error": 0.0}, f"{name} in {file}")
        else:
            flat[name] = str(item)
    return flat


def _estimate(item: Mapping[str, Any], what: str) -> Estimate:
    parts = {part: item[part] for part in ("value", "standard_error")}
    parts["n"] = item.get("n", 0 if parts["standard_error"] else 1)
    for part, x in parts.items():
        if not _is_finite(x) or (part != "value" and x < 0):
            raise InputError(f"{what} has the {part.replace('_', ' ')} {x}: run `dvc repro`")
    return Estimate(float(parts["value"]), float(parts["standard_error"]), int(parts["n"]))


def _is_finite(item: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    try:
        return _is_number(item) and math.isfinite(item)
    except OverflowError:  # an integer that is no float
        return False


def _is_number(item: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    return isinstance(item, int | float) and not isinstance(item, bool)
