"""The package as others install it: outside the checkout, with all the files that it needs."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from imports import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of the wheel, which is built from what git has."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    for name in listed:
        if name.startswith(("src/", "masks/")) or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    command = ["uv", "build", "--wheel", "--no-build-isolation", "--out-dir", str(folder)]
    subprocess.run([*command, str(source)], check=True, capture_output=True)
    (wheel,) = folder.glob("nicelab-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def python(installed: Path, code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.check_output(command, cwd=installed.parent, env=environment, text=True)


def test_it_works_outside_the_checkout(installed: Path) -> None:
    code = "import nicelab.errors; from nicelab import lab; print(nicelab.errors.__file__)"
    found, answer = python(installed, f"{code}; print(lab.gambler(0.55, paths=100))").splitlines()
    assert Path(found).is_relative_to(installed)
    assert "(exact: 2.38838×10⁻⁶)" in answer
    told = python(installed, "import sys; sys.argv[1:] = ['--help']; import nicelab.__main__")
    assert "--version" in told


def test_it_has_every_file_of_the_package(installed: Path) -> None:
    package = ROOT / "src" / "nicelab"
    wanted = {p.relative_to(package) for p in package.rglob("*") if p.is_file()}
    wanted |= {Path("defaults", "masks", x.name) for x in (ROOT / "masks").iterdir()}
    wanted = {path for path in wanted if "__pycache__" not in path.parts}
    has = {p.relative_to(installed / "nicelab") for p in (installed / "nicelab").rglob("*.*")}
    assert wanted == {path for path in has if "__pycache__" not in path.parts}


def test_it_says_what_it_is(installed: Path) -> None:
    (metadata,) = installed.glob("nicelab-*.dist-info/METADATA")
    text = metadata.read_text()
    assert "License-Expression: MIT" in text
    assert "Description-Content-Type: text/markdown" in text
