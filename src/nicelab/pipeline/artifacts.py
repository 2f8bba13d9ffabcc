"""Files in and out: arrays, weights, tables and metrics.

The same content always gives the same bytes. Arrays and weights carry a digest of their names,
types, shapes and entries, and are refused if they were altered. Nothing that is read can run code:
arrays are loaded without pickle, weights are safetensors. What is written returns the MD5 of the
file, which `dvc.lock` records too.
"""

import csv
import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError, numpy, safe_open

from nicelab.errors import InputError
from nicelab.pipeline.files import digest, writing
from nicelab.pipeline.metrics import Metrics
from nicelab.records import Record

R = TypeVar("R", bound=Record)
_AGAIN = "make it again with `dvc repro`"
_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    TypeError,
    MemoryError,
    RecursionError,
    NotImplementedError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)
_DIGEST = "sha256"  # the name of the digest among the arrays


def contents_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of named arrays: of the name, type, shape and entries of each."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        x = np.asarray(arrays[name], order="C")
        sha.update(f"{name} {x.dtype.str} {x.shape}\n".encode())
        sha.update(x.data if x.dtype.kind != "U" else x.tobytes())
    return sha.hexdigest()


def write_arrays(path: Path, **arrays: np.ndarray | str) -> str:
    """Write named arrays (and labels) as one compressed NumPy archive."""
    given = {name: np.asarray(x) for name, x in arrays.items()}
    with writing(path) as temporary:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **given, **{_DIGEST: contents_digest(given)})
        return digest(temporary)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an archive that `write_arrays` wrote.

    Raises:
        InputError: the file is missing, damaged or was altered.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {_AGAIN}") from None
    except _DAMAGE as error:
        raise InputError(
            f"{path} is not a whole NumPy archive ({_line(error)}): {_AGAIN}"
        ) from None
    stated = str(arrays.pop(_DIGEST, "none"))
    if stated != contents_digest(arrays):
        raise InputError(
            f"{path} was altered: its arrays do not have the digest it states; {_AGAIN}"
        )
    return arrays


def write_record(path: Path, record: Record) -> str:
    """Write what a study found."""
    return write_arrays(path, **record.require_declared().to_arrays())


def read_record(path: Path, kind: type[R]) -> R:
    """Read what a study found, from an archive or, if its name ends so, from a .csv.

    Raises:
        InputError: the file is missing, damaged, or holds other arrays.
    """
    arrays = read_table(path) if path.suffix == ".csv" else read_arrays(path)
    try:
        return kind.from_arrays(arrays)
    except KeyError as error:
        raise InputError(
            f"{path} is not what is read here: {error.args[0]} is missing or unknown; {_AGAIN}"
        ) from None
    except ValueError as error:
        raise InputError(f"{path} is not what is read here: {error}; {_AGAIN}") from None


def write_weights(path: Path, tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> str:
    """Write weights as safetensors, with a JSON header and a digest of both in it."""
    header = {**header, _DIGEST: _weights_digest(tensors, header)}
    # A single key, because safetensors writes several in an order that varies from run to run.
    metadata = {"nicelab": json.dumps(header, sort_keys=True)}
    with writing(path) as temporary:
        temporary.write_bytes(numpy.save(dict(tensors), metadata=metadata))
        return digest(temporary)


def read_weights(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read weights and their header; refuse a file that was altered after it was written.

    Raises:
        InputError: the file is missing, damaged, altered, or not written by `write_weights`.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        header = json.loads(metadata["nicelab"])
        stated = header.pop(_DIGEST)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {_AGAIN}") from None
    except (*_DAMAGE, SafetensorError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} is not a nicelab weights file ({_line(error)}): {_AGAIN}"
        ) from None
    if stated != _weights_digest(tensors, header):
        raise InputError(
            f"{path} was altered: its weights and header do not have the digest it states"
        )
    return tensors, header


def _weights_digest(tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> str:
    text = np.array(json.dumps(header, sort_keys=True))
    return contents_digest({**tensors, "header": text})


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows with the same columns as CSV."""
    with writing(path) as temporary:
        with temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return digest(temporary)


def read_table(path: Path) -> dict[str, np.ndarray]:
    """Read a CSV of numbers as named columns.

    Raises:
        InputError: the file is missing or is not such a table.
    """
    try:
        if not path.read_bytes().endswith(b"\n"):
            raise ValueError("its last line does not end")
        table = np.genfromtxt(path, delimiter=",", names=True, ndmin=1, encoding="utf-8")
        return {name: table[name] for name in table.dtype.names}
    except _DAMAGE as error:
        raise InputError(f"{path} is not a table of numbers ({_line(error)}): {_AGAIN}") from None


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> str:
    """Write metrics as JSON; estimates become objects with value, standard error and n.

    Raises:
        InputError: a number is NaN or infinite, or the file cannot be written.
    """
    try:
        text = json.dumps(metrics, indent=2, allow_nan=False, ensure_ascii=False, default=_as_json)
    except ValueError:
        raise InputError(f"{path} would hold a number that is not finite; not written") from None
    with writing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
        return digest(temporary)


def _as_json(item: object) -> dict[str, Any]:
    if is_dataclass(item) and not isinstance(item, type):
        return asdict(item)
    raise TypeError(f"{item!r} is no metric")


def read_metrics(path: Path) -> Metrics:
    """Read a metrics file.

    Raises:
        InputError: the file is missing or is not a JSON object.
    """
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(metrics, dict):
            raise TypeError(f"it holds a {type(metrics).__name__}")
        return Metrics(metrics, path)
    except _DAMAGE as error:
        raise InputError(f"{path} holds no metrics ({_line(error)}): {_AGAIN}") from None


def _line(error: BaseException) -> str:
    """What an error says, on one line of bearable length."""
    return " ".join(str(error).split())[:200] or type(error).__name__
