"""The house stays in order: imports go downwards, and nothing grows too long to be read."""

import ast
from pathlib import Path
from statistics import quantiles

import pytest

from imports import ROOT
from nicelab.pipeline.deps import first_party

PACKAGE = ROOT / "src" / "nicelab"
FLOORS = (
    {"errors", "statistics", "records", "streams", "formatting", "published"},
    {"pipeline"},
    {"machine"},
    {"images"},
    {"flows"},
    {"ablation", "likelihood", "inpainting", "importance", "gradients"},
    {"dimensions", "discrete", "tandem"},
    {"checks", "figures"},
    {"comparison"},
    {"report"},
    {"teaching"},
    {"commands"},
    {"lab"},
    {"__main__"},
)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
LONGEST_FUNCTION, MEDIAN, NINE_IN_TEN = 45, 6, 20  # lines
LONGEST_MODULE = 250


def room(path: Path) -> str:
    """The package of a module, or the module itself where it is in none."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floor(path: Path) -> int:
    return next(k for k, rooms in enumerate(FLOORS) if room(path) in rooms)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_to_the_same_room_or_a_lower_floor(path: Path) -> None:
    for name in first_party(ROOT, path):
        other = ROOT / name
        assert room(other) == room(path) or floor(other) < floor(path) or floor(path) == 0, name


@pytest.mark.parametrize(
    "package",
    ["flows", "likelihood", "inpainting", "importance", "tandem"]
    + ["gradients", "dimensions", "discrete"],
)
def test_records_are_light(package: str) -> None:
    """Figures depend on them: they import nothing that is edited with a study."""
    imported = first_party(ROOT, PACKAGE / package / "records.py")
    assert imported <= {"src/nicelab/records.py", "src/nicelab/statistics.py"}


def lengths() -> dict[str, tuple[int, int]]:
    """Lines of every function of ours, with its docstring and without."""
    found = {}
    for path in [*MODULES, *(ROOT / "stages").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                first = node.body[0]
                said = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) else 0
                found[f"{path.relative_to(ROOT)}:{node.name}"] = lines, lines - said
    return found


def test_functions_are_short() -> None:
    found = lengths()
    assert {name: n for name, (n, _) in found.items() if n > LONGEST_FUNCTION} == {}
    deciles = quantiles([n for _, n in found.values()], n=10)
    assert deciles[4] <= MEDIAN
    assert deciles[8] <= NINE_IN_TEN


def test_modules_are_short() -> None:
    long = {path.name: n for path in MODULES if (n := len(path.read_text().splitlines())) > 250}
    assert long == {}


def test_the_formatter_lays_out_nearly_everything() -> None:
    sources = [
        path
        for folder in ("src", "stages", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
    ]
    assert sum(path.read_text().count("fmt: skip") for path in sources) < 15
