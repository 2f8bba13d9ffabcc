"""What a study finds, as a frozen dataclass of arrays that can be written and read again.

    @dataclass(frozen=True)
    class Walks(Record):
        ticks: np.ndarray                                # written as `ticks`
        paths: dict[str, np.ndarray] = key("paths_{}")   # as `paths_crude`, `paths_doob`, …
        ends: np.ndarray | None = None                   # not written where it is None

A dictionary may hold records of its own, whose fields' names follow the key: `Trace` under
`key("{}")` is written as `grey_images`, `grey_error`, …. A field of such a record may have a key
with a place for the dictionary's: `paths: np.ndarray = key("paths_{}")` is written as
`paths_grey`, and with `key("")` as `grey` itself. Names are stated here and nowhere else.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Self, get_args, get_origin, get_type_hints

import numpy as np


def key(template: str) -> Any:  # noqa: ANN401 - it stands for a default of any type
    """A field that is written under this name, or under `template.format(k)` for each key k."""
    return field(metadata={"key": template}, kw_only=True)


@dataclass(frozen=True)
class Record:
    """Base of all records; its fields are arrays, optional arrays, or dictionaries of either."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, in the order of the fields."""
        arrays: dict[str, np.ndarray] = {}
        for slot in _slots(type(self)):
            value = getattr(self, slot.name)
            if not slot.many:
                arrays |= {slot.key: np.asarray(value)} if value is not None else {}
                continue
            for k, entry in value.items():
                parts = entry.to_arrays() if isinstance(entry, Record) else {"": entry}
                arrays |= {slot.named(k, part): np.asarray(x) for part, x in parts.items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The record that was written as these arrays.

        Of a name that fits two dictionaries the one that leaves less of it open is meant.

        Raises:
            KeyError: an array is missing, or one belongs to no field.
        """
        slots = _slots(cls)
        alone = {slot.key: slot.name for slot in slots if not slot.many}
        found: dict[str, Any] = {alone[name]: x for name, x in arrays.items() if name in alone}
        parts: dict[str, dict[str, dict[str, np.ndarray]]] = {s.name: {} for s in slots if s.many}
        for name in arrays.keys() - alone.keys():
            fits = [(slot, *fit) for slot in slots for fit in slot.fits(name)]
            if not fits:
                raise KeyError(name)
            slot, k, part = min(fits, key=lambda fit: len(fit[1]))
            parts[slot.name].setdefault(k, {})[part] = arrays[name]
        for slot in slots:
            if slot.many:
                order = [k for k in slot.order(arrays) if k in parts[slot.name]]
                found[slot.name] = {k: slot.entry(k, parts[slot.name][k]) for k in order}
            elif slot.required and slot.name not in found:
                raise KeyError(slot.key)
        return cls(**found)


@dataclass(frozen=True)
class _Slot:
    """A field, and the names under which it is written."""

    name: str
    key: str
    many: bool
    required: bool
    nested: type[Record] | None

    def named(self, k: str, part: str) -> str:
        return self._template(part).format(k)

    def _template(self, part: str) -> str:
        """The name of a nested field, with a place for the key of the dictionary."""
        if "{}" in part:
            return self.key.format(part)
        return f"{self.key}_{part}" if part else self.key

    def fits(self, name: str) -> Iterator[tuple[str, str]]:
        """Each (key, name of the nested field) that is written so."""
        if not self.many:
            return
        parts = [slot.key for slot in _slots(self.nested)] if self.nested else [""]
        for part in parts:
            before, after = map(re.escape, self._template(part).split("{}"))
            if match := re.fullmatch(f"{before}(.+){after}", name):
                yield match[1], part

    def order(self, arrays: Mapping[str, np.ndarray]) -> list[str]:
        """Keys in the order in which they are written."""
        return list(dict.fromkeys(k for name in arrays for k, _ in self.fits(name)))

    def entry(self, k: str, parts: dict[str, np.ndarray]) -> np.ndarray | Record:
        try:
            return self.nested.from_arrays(parts) if self.nested else parts[""]
        except KeyError as error:
            raise KeyError(self.named(k, error.args[0])) from None


def _slots(record: type[Record]) -> list[_Slot]:
    hints = get_type_hints(record)
    return [_slot(f, hints[f.name]) for f in fields(record)]


def _slot(f: Field, hint: Any) -> _Slot:  # noqa: ANN401 - a type or a union of types
    many = get_origin(hint) is dict
    inner = get_args(hint)[1] if many else None
    nested = inner if isinstance(inner, type) and issubclass(inner, Record) else None
    required = f.default is MISSING and f.default_factory is MISSING
    return _Slot(f.name, f.metadata.get("key", f.name), many, required, nested)
