"""Hostile texts, from another revision, in parameters or in results, are shown and do nothing."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from hostile import ANSI, HTML
from imports import ROOT
from nicelab.commands.main import main
from nicelab.comparison import side_by_side, tables
from nicelab.comparison.difference import Difference
from nicelab.comparison.experiments import Experiment
from nicelab.comparison.texts import literal, plain
from nicelab.comparison.verdicts import Row, Verdict
from nicelab.report.contents import Contents, read_contents
from nicelab.report.render import render, render_markdown
from nicelab.statistics import Estimate

TEXTS = (
    ANSI,
    HTML,
    "two\nlines",
    "../../etc/passwd",
    "$x_$",
    "a|b",
    "[red]rich[/red]",
    "[a](javascript:alert(1))",
    "![a](http://localhost/a.png)",
    "**b** _e_ `c` ~~s~~ &amp; \\",
    "{{ 7 * 7 }}",
    '"><img src=x onerror=alert(1)>',
)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(st.text(max_size=30))
@example("_a_b_ c_")
def test_markdown_shows_the_text_itself(text: str) -> None:
    page = BeautifulSoup(MARKDOWN.render(f"| h |\n| --- |\n| x{literal(text)}x |"), "html.parser")
    (cell,) = page.find_all("td")
    assert not cell.find_all(True)
    assert cell.text == f"x{plain(text)}x"


@given(st.text(max_size=30))
def test_plain_text_is_printable_and_the_text_where_it_was(text: str) -> None:
    assert plain(text).isprintable()
    if text.isprintable():
        assert plain(text) == text


@pytest.fixture(params=TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    return request.param


def difference(text: str) -> Difference:
    """Of two revisions where everything that has a name has this one."""
    row = Row(text, Estimate(1.0, 0.1, 9), text, Verdict.WORSE, note=text)
    return Difference(
        before=text,
        after="workspace",
        params={text: (text, 1)},
        code=[text],
        data=[text],
        machine={text: (None, text)},
        stages=[text],
        stale={text: [text]},
        not_cached=[text],
        headlines=True,
        rows=[row],
    )


def test_a_comparison_for_a_terminal(text: str) -> None:
    console = Console(width=150, force_terminal=True, color_system=None, record=True)
    with console.capture() as captured:
        tables.terminal(difference(text), console)
    shown = captured.get()
    assert "\x1b[31m" not in shown
    assert " ".join(plain(text).split()) in " ".join(shown.split())


def test_a_comparison_for_a_pull_request(text: str) -> None:
    page = BeautifulSoup(MARKDOWN.render(tables.markdown(difference(text))), "html.parser")
    tags = "h3 ul li table thead tbody tr th td p".split()
    assert {tag.name for tag in page.find_all(True)} <= {*tags}
    assert {len(row.find_all(["td", "th"])) for row in page.find_all("tr")} == {
        len(tables.HEADINGS)
    }


def test_experiments(text: str) -> None:
    runs = [Experiment(text, {text: k}, {text: Estimate(1.0, 0.1, 9)}) for k in range(2)]
    rows = [[Row(text, Estimate(1.0, 0.1, 9), text, Verdict.SAME, note=text)]]
    page = MARKDOWN.render(side_by_side.markdown(runs, [text], rows))
    lines = [
        row.find_all(["td", "th"]) for row in BeautifulSoup(page, "html.parser").find_all("tr")
    ]
    assert {len(cells) for cells in lines} == {4}
    assert lines[-1][-1].text.split() == f"same, {plain(text)}".split()
    console = Console(width=150, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(side_by_side.terminal(runs, [text], rows))
    assert "\x1b[31m" not in captured.get()


@pytest.fixture
def contents(text: str, tmp_path: Path) -> Contents:
    """The committed results of images that are called this, with parameters that are."""
    shutil.copytree(ROOT / "results", tmp_path / "results")
    for path in (tmp_path / "results").rglob("*.json"):
        found = json.loads(path.read_text())
        if "dataset" in found:
            path.write_text(json.dumps(found | {"dataset": text}))
    folders = (ROOT / name for name in ("figures", "stages", "params.yaml"))
    found = read_contents(tmp_path / "results", *folders)
    return replace(found, provenance={text: {text: text}})


def test_the_page_of_the_report(text: str, contents: Contents) -> None:
    page = BeautifulSoup(render(contents), "html.parser")
    assert len(page.find_all("script")) == 1  # that of the film
    assert not page.find_all(onerror=True)
    assert not page.find_all(href=re.compile("javascript"))
    assert " ".join(text.split()) in " ".join(page.text.split())


def test_the_report_as_markdown_renders(contents: Contents) -> None:
    page = BeautifulSoup(MARKDOWN.render(render_markdown(contents, "figures")), "html.parser")
    assert not page.find_all(["script", "iframe"])
    assert {image["src"].split("/")[0] for image in page.find_all("img")} == {"figures"}


@pytest.mark.parametrize("name", ["-x", "--all=1", "--output=x", "-"])
def test_names_of_revisions_that_begin_with_a_dash(name: str) -> None:
    """After `--` they are names, which no option of git or DVC is made of."""
    result = CliRunner().invoke(main, ["compare", "--", name])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
