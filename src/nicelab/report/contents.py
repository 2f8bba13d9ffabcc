"""What a report is made of, as the pipeline has left it."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from nicelab.errors import InputError
from nicelab.flows.names import chosen
from nicelab.pipeline.artifacts import read_metrics
from nicelab.pipeline.files import digest
from nicelab.pipeline.params import flatten, read_all
from nicelab.report.tables.table import Table

T = TypeVar("T")
Results = Mapping[str, Any]  # metrics by study; of a study of flows, by study and family
OF_FLOWS = ("training", "likelihood", "diagnostics", "samples", "inpainting")
PACKAGES = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "dvc")


class Folder(dict[str, T]):
    """All files of a folder that have one ending, by name without it, in alphabetical order.

    A file that is looked up and is not there is named as such.
    """

    def __init__(self, path: Path, ending: str, read: Callable[[Path], T]) -> None:
        super().__init__({file.stem: read(file) for file in sorted(path.glob(f"*{ending}"))})
        self._path, self._ending = path, ending

    def __missing__(self, name: str) -> None:
        file = self._path / f"{name}{self._ending}"
        raise InputError(f"{file} does not exist: make it again with `dvc repro`")


def read_results(folder: Path, families: Sequence[str]) -> Results:
    """Results of every study; of those of flows, of these families in this order."""
    found: Folder[Any] = Folder(folder, ".json", read_metrics)
    for study in OF_FLOWS:
        of_each = Folder(folder / study, ".json", read_metrics)
        found[study] = {family: of_each[family] for family in families}
    return found


@dataclass(frozen=True)
class Contents:
    """Results and pictures by study, where they come from, and the code of the stages.

    Args:
        metrics: results of every study.
        figures: PNG files by study.
        provenance: tables of names and values, by their title.
        sources: source code by stage.
    """

    metrics: Results
    figures: Mapping[str, bytes]
    provenance: Mapping[str, Mapping[str, str]]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class Since:
    """What has changed since another revision.

    Args:
        before: name of the revision.
        verdict: what became of the metrics, counted.
        summary: what has changed, a line each.
        table: metrics that differ.
    """

    before: str
    verdict: str
    summary: list[str]
    table: Table


@dataclass(frozen=True)
class Made:
    """When, where and from which commit a page was made.

    Args:
        date: the day, in UTC.
        commit: of the project, and whether there are changes beside it.
        address: of its repository on the web, if it has one.
        machine: the processor and its cores.
        times: how long each stage took, if any has run here.
    """

    date: str
    commit: str
    address: str | None
    machine: str
    times: Table


def _source(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8 ({error.reason})") from None


def read_contents(results: Path, figures: Path, stages: Path, params: Path) -> Contents:
    """Read all files of these folders."""
    files = sorted([*results.glob("**/*.json"), *figures.glob("*.png")])
    provenance = {
        "Parameters": {name: str(x) for name, x in flatten(read_all(params)).items()},
        "Digests (MD5, as in dvc.lock)": {str(path): digest(path) for path in files},
        "Versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }
    return Contents(
        read_results(results, chosen(params)),
        Folder(figures, ".png", Path.read_bytes),
        provenance,
        Folder(stages, ".py", _source),
    )
