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

What an array must be is its annotation (jaxtyping):

    pixels: UInt8[np.ndarray, "images dimensions"]
    labels: Annotated[UInt8[np.ndarray, "images"], Within(0, 9)] | None = None
    balance: Annotated[Float[np.ndarray, "paths ticks"], GAPS]       # NaN is allowed

Sizes of one name agree within a record; numbers are finite unless there may be gaps.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from types import UnionType
from typing import Annotated, Any, Self, Union, get_args, get_origin, get_type_hints

import numpy as np
from jaxtyping import AbstractArray, AbstractDtype, jaxtyped


class Text(AbstractDtype):
    """An array of text."""

    dtypes = ("str_",)


@dataclass(frozen=True)
class Within:
    """Every entry is between these, both included."""

    least: float
    most: float


GAPS = object()  # marks arrays whose entries may be NaN


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

    def require_declared(self) -> Self:
        """The record itself, once each array is known to be what its field says.

        Raises:
            ValueError: one has another type or shape, or an entry that is out of range or NaN.
        """
        with jaxtyped("context"):  # in which sizes of one name agree
            for slot in _slots(type(self)):
                value = getattr(self, slot.name)
                for k, x in value.items() if slot.many else [(None, value)]:
                    if isinstance(x, Record):
                        x.require_declared()
                    elif x is not None and (fault := slot.fault(np.asarray(x))):
                        name = slot.key if k is None else slot.named(k, "")
                        raise ValueError(f"{name} must be {fault}")
        return self

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The record that was written as these arrays.

        Of a name that fits two dictionaries the one that leaves less of it open is meant.

        Raises:
            KeyError: an array is missing, or one belongs to no field.
            ValueError: one is not what its field says.
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
        return cls(**found).require_declared()


@dataclass(frozen=True)
class _Slot:
    """A field, and the names under which it is written."""

    name: str
    key: str
    many: bool
    required: bool
    nested: type[Record] | None
    content: type[AbstractArray] | None
    limits: tuple[object, ...]

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

    def fault(self, x: np.ndarray) -> str | None:
        """What an array must be and is not, and what it is."""
        if self.content is None:
            return None
        if not isinstance(x, self.content):
            kind = self.content.__name__.partition("[")[0].lower()
            sizes = ", ".join(self.content.dim_str.split())
            return f"{kind} of shape ({sizes}), got {x.dtype} of shape {x.shape}"
        if x.dtype.kind == "f" and GAPS not in self.limits and not np.isfinite(x).all():
            return "finite, got NaN or infinity"
        for limit in self.limits:
            if isinstance(limit, Within) and x.size:
                low, high = x.min(), x.max()
                if low < limit.least or high > limit.most:
                    return f"between {limit.least} and {limit.most}, got {low} to {high}"
        return None

    def order(self, arrays: Mapping[str, np.ndarray]) -> list[str]:
        """Keys in the order in which they are written."""
        return list(dict.fromkeys(k for name in arrays for k, _ in self.fits(name)))

    def entry(self, k: str, parts: dict[str, np.ndarray]) -> np.ndarray | Record:
        try:
            return self.nested.from_arrays(parts) if self.nested else parts[""]
        except KeyError as error:
            raise KeyError(self.named(k, error.args[0])) from None


def _slots(record: type[Record]) -> list[_Slot]:
    hints = get_type_hints(record, include_extras=True)
    return [_slot(f, hints[f.name]) for f in fields(record)]


def _slot(f: Field, hint: Any) -> _Slot:  # noqa: ANN401 - a type or a union of types
    many = get_origin(hint) is dict
    inner = get_args(hint)[1] if many else hint
    if get_origin(inner) in (Union, UnionType):  # with None
        inner = get_args(inner)[0]
    inner, *limits = get_args(inner) if get_origin(inner) is Annotated else (inner,)
    nested = inner if issubclass(inner, Record) else None
    content = inner if issubclass(inner, AbstractArray) else None
    required = f.default is MISSING and f.default_factory is MISSING
    name = f.metadata.get("key", f.name)
    return _Slot(f.name, name, many, required, nested, content, tuple(limits))
