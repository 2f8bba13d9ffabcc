"""A notebook for each problem: statement, code, picture, exercise; committed as it runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode

from notebooks import FOLDER, executed

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TIMED = "4_convolution.ipynb"  # whose picture shows seconds
LONGEST = 20  # lines of code in a cell


def outputs(notebook: NotebookNode) -> Iterator[NotebookNode]:
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def printed(notebook: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in outputs(notebook))


def pictures(notebook: NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


def test_there_is_one_for_each_problem() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_states_shows_and_asks(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert texts[0].startswith(f"# {path.name[0]}. ")
    assert "**Exercise.** " in texts[-1]
    assert pictures(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert max(len(source.splitlines()) for source in code) <= LONGEST


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_gives_what_it_is_committed_with(path: Path) -> None:
    """Within 2 %, since processors add up in other orders."""
    before, after = nbformat.read(path, as_version=4), executed(path)
    assert pictures(after) == pictures(before)
    words, numbers = (re.compile(x) for x in (r"[\d.e⁻⁰-⁹+-]+", r"\d+(?:\.\d+)?"))
    assert words.sub("", printed(after)) == words.sub("", printed(before))
    found, expected = ([float(x) for x in numbers.findall(printed(n))] for n in (after, before))
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.002)
