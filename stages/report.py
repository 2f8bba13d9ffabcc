"""Render the report."""

import platform
from importlib.metadata import version
from pathlib import Path

import click
from jinja2 import UndefinedError

from nicelab.artifacts import digest, read_metrics, writing
from nicelab.cli import PATH, output, params_option
from nicelab.errors import InputError
from nicelab.params import flatten, read_all
from nicelab.report.render import render

PACKAGES = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "dvc")


@click.command()
@click.argument("metrics", type=PATH)
@click.argument("figures", type=PATH)
@output("--report", "the page (.html)")
@params_option
def main(metrics: Path, figures: Path, report: Path, params: Path) -> None:
    """Render the numbers in METRICS and the pictures in FIGURES as one HTML page."""
    files = sorted([*metrics.glob("*.json"), *figures.glob("*.png")])
    numbers = {path.stem: read_metrics(path) for path in files if path.suffix == ".json"}
    pictures = {path.stem: path.read_bytes() for path in files if path.suffix == ".png"}
    provenance = {
        "Parameters": {name: str(value) for name, value in flatten(read_all(params)).items()},
        "Digests (MD5, as in dvc.lock)": {str(path): digest(path) for path in files},
        "Versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }
    try:
        page = render(numbers, pictures, provenance)
    except (UndefinedError, KeyError) as error:
        raise InputError(
            f"a number or picture that the report needs is missing from {metrics} or {figures}: "
            f"{error}; run `dvc repro`"
        ) from None
    with writing(report) as temporary:
        temporary.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
