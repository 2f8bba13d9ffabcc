"""From a section of `params.yaml` to a frozen, validated model.

The file is the only place that holds values: the models have no defaults, so a missing
parameter is an error and not a silent choice. Each model lives beside the code it configures.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from nicelab.errors import InputError

_SIGNS = {
    "greater than or equal to": ">=",
    "less than or equal to": "<=",
    "greater than": ">",
    "less than": "<",
}


_LARGEST = 2**63 - 1
_LONGEST = 120  # characters of a value in a message


class Section(BaseModel):
    """Base of every section: immutable, typed strictly, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


S = TypeVar("S", bound=BaseModel)


def load(
    path: Path,
    name: str,
    model: type[S],
    of: str | None = None,
    given: Mapping[str, str] = MappingProxyType({}),
) -> S:
    """Read and validate one section of a parameter file.

    Args:
        path: the YAML file (version 1.2, as DVC reads it: `1e-3` is a number).
        name: the section, a top-level key.
        model: what the section must look like.
        of: the part of the section that is meant, such as a family's.
        given: what is known beside the section.

    Raises:
        InputError: the file, the section or one of its values is not as expected.
    """
    found = _section(read_all(path), "", name, path)
    if of is not None:
        found = _section(found, name, of, path)
        name = f"{name}.{of}"
    if given and isinstance(found, dict):
        found = {**given, **found}
    if huge := [f"{place} must be < 2^63" for place in _huge(found, name)]:
        raise InputError("; ".join(huge) + f" ({path})")
    try:
        return model.model_validate(found)
    except ValidationError as error:
        lines = [_explain(name, model, e) for e in _flat(error)]
        raise InputError("; ".join(lines) + f" ({path})") from None


def _huge(found: Any, place: str) -> Iterator[str]:  # noqa: ANN401 - whatever YAML holds
    """Where there are integers that no tensor can hold."""
    match found:
        case dict():
            for name, value in found.items():
                yield from _huge(value, f"{place}.{name}")
        case list():
            for k, value in enumerate(found):
                yield from _huge(value, f"{place}.{k}")
        case int() if abs(found) > _LARGEST:
            yield place


def _section(sections: Any, parent: str, name: str, path: Path) -> Any:  # noqa: ANN401
    where = f"{parent}.{name}" if parent else name
    if not isinstance(sections, dict) or name not in sections:
        hint = _suggest(name, sections) if isinstance(sections, dict) else ""
        raise InputError(f"section {where} is missing{hint} ({path})")
    return sections[name]


def read_all(path: Path) -> dict[str, Any]:
    """Read all sections as they stand in the file, not validated.

    Raises:
        InputError: the file is missing or is no YAML mapping.
    """
    try:
        sections = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the parameters: {error}") from None
    except YAMLError as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path} is not valid YAML: {problem}") from None
    if not isinstance(sections, dict):
        raise InputError(f"{path} must hold sections such as `train:`, got {_brief(sections)}")
    return sections


def _flat(error: ValidationError, place: tuple[int | str, ...] = ()) -> Iterator[dict[str, Any]]:
    """All errors, those too of a model that a validator has chosen, each at its whole place."""
    for found in error.errors():
        where = (*place, *found["loc"])
        inner = found.get("ctx", {}).get("error")
        if isinstance(inner, ValidationError):
            yield from _flat(inner, where)
        else:
            yield {**found, "loc": where}


def _explain(section: str, model: type[BaseModel], error: dict[str, Any]) -> str:
    """One validation error as `section.name must be > 0, got -5`."""
    where = ".".join([section, *map(str, error["loc"])])
    match error["type"]:
        case "missing":
            return f"{where} is missing"
        case "extra_forbidden":
            hint = _suggest(str(error["loc"][-1]), model.model_fields)
            return f"{where} is unknown{hint}"
        case "value_error":
            return f"{where}: {error['ctx']['error']}"
    message = error["msg"]
    for words, sign in _SIGNS.items():
        message = message.replace(words, sign)
    expected = message.removeprefix("Input should be ")
    verb = ": " if expected == message else " must be "
    return f"{where}{verb}{expected}, got {_brief(error['input'])}"


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _suggest(name: str, known: Iterable[object]) -> str:
    matches = get_close_matches(name, [str(k) for k in known], n=1)
    return f"; did you mean {matches[0]}?" if matches else ""


def flatten(sections: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"train": {"epochs": 28}}` as `{"train.epochs": 28}`."""
    flat: dict[str, Any] = {}
    for name, value in sections.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
