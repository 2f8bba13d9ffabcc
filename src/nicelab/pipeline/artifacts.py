"""Files in and out: arrays, weights, tables and metrics.

Everything is written beside its destination first and moved there whole, so a file either has
its full content or does not exist. The same content always gives the same bytes. Nothing that
is read can run code: arrays are loaded without pickle, weights are safetensors.
"""

import csv
import errno
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError, numpy, safe_open

from nicelab.errors import InputError
from nicelab.pipeline.metrics import Metrics
from nicelab.records import Record

R = TypeVar("R", bound=Record)
_AGAIN = "make it again with `dvc repro`"


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there if the block succeeds.

    Raises:
        InputError: the destination cannot be written.
    """
    temporary = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; put it in the place of `path` if the block succeeds.

    Raises:
        InputError: the destination cannot be written.
    """
    temporary = _beside(path)
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise _cannot_write(path, error) from None
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def require_writable(*paths: Path) -> None:
    """Fail now rather than after an hour of work.

    Raises:
        InputError: one of the paths cannot be written.
    """
    for path in paths:
        temporary = _beside(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch()
            temporary.unlink()
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        except OSError as error:
            raise _cannot_write(path, error) from None


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot write {path}: {error.strerror or error}")


def digest(path: Path) -> str:
    """MD5 of a file, the digest that `dvc.lock` records for it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def write_arrays(path: Path, **arrays: np.ndarray | str) -> None:
    """Write named arrays (and labels) as one compressed NumPy archive."""
    with writing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Read the named arrays, or all of them, from a NumPy archive.

    Raises:
        InputError: the file is missing, damaged or lacks one of the names.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = set(names) - set(archive.files)
            if missing:
                raise InputError(
                    f"{path} holds {', '.join(archive.files)} but not "
                    f"{', '.join(sorted(missing))}: {_AGAIN}"
                )
            return {name: archive[name] for name in names or archive.files}
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {_AGAIN}") from None
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a whole NumPy archive ({error}): {_AGAIN}") from None


def write_record(path: Path, record: Record, **labels: np.ndarray | str) -> None:
    """Write what a study found, and labels such as the name of its data set."""
    write_arrays(path, **labels, **record.to_arrays())


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


def write_weights(path: Path, tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write weights as safetensors, with a JSON header and a digest of the weights in it."""
    header = {**header, "weights_sha256": _weights_digest(tensors)}
    # A single key, because safetensors writes several in an order that varies from run to run.
    metadata = {"nicelab": json.dumps(header, sort_keys=True)}
    with writing(path) as temporary:
        temporary.write_bytes(numpy.save(dict(tensors), metadata=metadata))


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
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: {_AGAIN}") from None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a nicelab weights file ({error}): {_AGAIN}") from None
    if header.get("weights_sha256") != _weights_digest(tensors):
        raise InputError(f"{path} was altered: its weights do not have the digest it states")
    return tensors, header


def _weights_digest(tensors: Mapping[str, np.ndarray]) -> str:
    sha = hashlib.sha256()
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(np.ascontiguousarray(tensors[name]).data)
    return sha.hexdigest()


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same columns as CSV."""
    with writing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path: Path) -> dict[str, np.ndarray]:
    """Read a CSV of numbers as named columns.

    Raises:
        InputError: the file is missing or is not such a table.
    """
    try:
        table = np.genfromtxt(path, delimiter=",", names=True, ndmin=1, encoding="utf-8")
        return {name: table[name] for name in table.dtype.names}
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is not a table of numbers ({error}): {_AGAIN}") from None


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
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
    except (OSError, ValueError) as error:
        raise InputError(f"{path} holds no metrics ({error}): {_AGAIN}") from None
    if not isinstance(metrics, dict):
        raise InputError(f"{path} holds {metrics!r} instead of metrics: {_AGAIN}")
    return Metrics(metrics, path)
