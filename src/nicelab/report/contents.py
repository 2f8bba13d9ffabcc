"""What a report is made of, as the pipeline has left it."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from nicelab.errors import InputError
from nicelab.pipeline.artifacts import digest, read_metrics
from nicelab.pipeline.params import flatten, read_all

PACKAGES = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "dvc")


@dataclass(frozen=True)
class Contents:
    """Metrics and pictures by study, where they come from, and the code of the stages."""

    metrics: dict[str, Any]
    figures: dict[str, bytes]
    provenance: dict[str, dict[str, str]]
    sources: dict[str, str]


def read_contents(metrics: Path, figures: Path, stages: Path, params: Path) -> Contents:
    """Read all files of these folders."""
    files = sorted([*metrics.glob("*.json"), *figures.glob("*.png")])
    return Contents(
        {path.stem: read_metrics(path) for path in files if path.suffix == ".json"},
        {path.stem: path.read_bytes() for path in files if path.suffix == ".png"},
        {
            "Parameters": {name: str(x) for name, x in flatten(read_all(params)).items()},
            "Digests (MD5, as in dvc.lock)": {str(path): digest(path) for path in files},
            "Versions": {
                "python": platform.python_version(),
                **{package: version(package) for package in PACKAGES},
            },
        },
        {path.stem: path.read_text(encoding="utf-8") for path in sorted(stages.glob("*.py"))},
    )


def complete(page: Callable[[], str]) -> str:
    """A page, once every number and picture that it needs is there.

    Raises:
        InputError: one is missing.
    """
    try:
        return page()
    except (UndefinedError, KeyError) as error:
        raise InputError(
            f"a number or picture that the report needs is missing: {error}; run `dvc repro`"
        ) from None
