import copy
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from imports import ROOT
from nicelab.errors import InputError
from nicelab.report.contents import read_contents
from nicelab.report.headlines import HEADINGS, markdown, rows
from nicelab.report.readme import BEGIN, END, with_results
from nicelab.report.render import render, render_markdown

CONTENTS = read_contents(*(ROOT / x for x in ("metrics", "figures", "stages", "params.yaml")))
METRICS, FIGURES, SOURCES = CONTENTS.metrics, CONTENTS.figures, CONTENTS.sources


@pytest.fixture(scope="module")
def page() -> str:
    return render(METRICS, FIGURES, {"Versions": {"python": "3"}}, SOURCES)


class Tags(HTMLParser):
    """Collect tags and check that they nest."""

    VOID = ("meta", "img", "br", "link", "input")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(page: str) -> list[tuple[str, dict]]:
    parser = Tags()
    parser.feed(page)
    assert not parser.open
    return parser.found


def test_the_page_needs_no_network(page: str) -> None:
    for tag, attributes in tags(page):
        assert tag not in ("link", "iframe")
        for name in ("src", "href"):
            if name in attributes:
                assert attributes[name].startswith(("data:", "#"))
    assert "url(" not in page
    assert "@import" not in page
    assert len(page) < 5_000_000


def test_every_figure_is_there_with_an_alternative_text(page: str) -> None:
    images = [attributes for tag, attributes in tags(page) if tag == "img"]
    assert len(images) == len(FIGURES) == 18
    assert all(len(image["alt"]) > 40 for image in images)


def test_formulas_are_mathml(page: str) -> None:
    assert sum(tag == "math" for tag, _ in tags(page)) > 15


def test_links_have_targets(page: str) -> None:
    found = tags(page)
    ids = {attributes["id"] for _, attributes in found if "id" in attributes}
    links = {a["href"].removeprefix("#") for tag, a in found if tag == "a"}
    assert links <= ids


def test_the_data_set_is_named(page: str) -> None:
    assert f"NICE on {METRICS['likelihood']['dataset']}" in page


def test_numbers_come_from_the_metrics() -> None:
    changed = copy.deepcopy(METRICS)
    changed["likelihood"]["test"]["log_likelihood"]["value"] = 4321.0
    assert "4321.0 ± " in render(changed, FIGURES, {}, SOURCES)
    assert "4321.0 ± " not in render(METRICS, FIGURES, {}, SOURCES)


@pytest.mark.parametrize("study", sorted(METRICS))
def test_a_missing_number_stops_the_rendering(study: str) -> None:
    changed = {name: metrics for name, metrics in METRICS.items() if name != study}
    with pytest.raises((UndefinedError, KeyError)):
        render(changed, FIGURES, {}, SOURCES)


def test_rendering_is_reproducible(page: str) -> None:
    assert render(METRICS, FIGURES, {"Versions": {"python": "3"}}, SOURCES) == page


def test_the_readme_states_the_committed_results() -> None:
    readme = (ROOT / "README.md").read_text()
    assert with_results(readme, markdown(rows(METRICS))) == readme, "run `make readme`"


def test_the_readme_shows_figures_that_exist() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_results_replace_what_was_between_the_marks() -> None:
    text = with_results(f"a\n{BEGIN}\nold\n{END}\nb", "new")
    assert text == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(InputError, match="must hold"):
        with_results("no marks", "new")


def test_results_table() -> None:
    table = markdown(rows(METRICS)).splitlines()
    assert table[0] == f"| {' | '.join(HEADINGS)} |"
    assert len({line.count("|") for line in table}) == 1
    assert any("2.388383" in line for line in table)


def test_no_local_path_in_the_page(page: str) -> None:
    assert str(Path.home()) not in page
    assert str(ROOT) not in page


def test_every_study_asks_a_question_and_says_how_to_repeat_it(page: str) -> None:
    assert page.count('class="question"') == 7
    named = set(re.findall(r'href="#source-(\w+)"', page))
    assert named == set(SOURCES) - {"download", "prepare", "figures", "report"}
    assert "dvc repro importance" in page
    assert "def main(" in page


def test_points_of_the_ladder_say_their_values(page: str) -> None:
    labels = re.findall(r'class="dot"[^>]*data-label="([^"]*)"', page)
    assert any(label.startswith("cross-entropy, logistic") for label in labels)
    assert sum(label.startswith("q = 0.") for label in labels) > 20


def test_what_has_changed_is_told(page: str) -> None:
    since = {"before": "v1", "summary": ["train.epochs: 1 → 2"], "headings": ["metric", "z"],
             "rows": [["likelihood.test.log_likelihood", "+3.0"]]}  # fmt: skip
    told = render(METRICS, FIGURES, {}, SOURCES, since)
    assert "What changed since v1" in told
    assert "<td>+3.0</td>" in told
    assert "What changed" not in page
    since["rows"] = []
    assert "No metric differs." in render(METRICS, FIGURES, {}, SOURCES, since)


def test_markdown_says_the_same() -> None:
    text = render_markdown(METRICS, "../figures", {})
    assert text.startswith("# NICE on MNIST")
    assert text.count("](../figures/") == len(FIGURES)
    assert "| quantity | published |" in text
    assert "$$\\log\\, p(x)" in text
    assert "<" not in re.sub(r"\$[^$]*\$|`[^`]*`", "", text)
    for name in re.findall(r"\]\((\.\./figures/[^)]+)\)", text):
        assert (ROOT / "report" / name).resolve().is_file()
