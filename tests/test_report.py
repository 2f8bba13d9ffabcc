import copy
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from click.testing import CliRunner, Result
from jinja2 import DictLoader, UndefinedError

from imports import FAMILIES, FIRST, ROOT
from nicelab.commands.report import report
from nicelab.errors import InputError
from nicelab.importance.verdicts import NESTED
from nicelab.pipeline.artifacts import read_metrics
from nicelab.report.contents import Contents, Made, Since, read_contents
from nicelab.report.headlines.importance import printed_range
from nicelab.report.headlines.results import HEADINGS, headlines, markdown, tables
from nicelab.report.readme import BEGIN, END, shown, with_results
from nicelab.report.render import COUNTS, _film, render, render_markdown
from nicelab.report.tables.importance import learning
from nicelab.report.tables.table import NONE, Table
from nicelab.statistics import Estimate

RESULTS = sorted(str(x.relative_to(ROOT / "results")) for x in (ROOT / "results").rglob("*.json"))
FIGURES = sorted(path.stem for path in (ROOT / "figures").glob("*.png"))
REPORT = Path("src", "nicelab", "report")
TEMPLATES = [*(ROOT / REPORT).glob("*.jinja"), *(ROOT / REPORT).glob("*.css")]
ARGUMENTS = {  # the section of each problem, and a formula that its argument comes to
    "1": ("gradients", "\\nabla_\\varphi \\int q_\\varphi\\, dz = \\nabla_\\varphi 1 = 0$$"),
    "2": ("inpainting", "$$\\Pi(y) = (a, \\min(\\max(y_2, 0), 1))$$"),
    "4a": (
        "convolution",
        "\\left|\\det A\\right| = \\sum_{i=1}^{C} \\log\\, \\left|s_i\\right|$$",
    ),
    "4b": ("convolution", "\\left|\\det Q_1\\right|^{-1} = \\left|\\det J\\right|$$"),
    "4c": ("convolution", "m\\, n \\sum_{i=1}^{C} \\log\\, \\left|s_i\\right|$$"),
    "4d": ("convolution", "m\\, n \\sum_{i=1}^{C} \\log\\, \\left|s_i(X_a)\\right|$$"),
}


@pytest.fixture(scope="module", autouse=True)
def film() -> Iterator[Callable]:
    """A film is made once for all pages that are rendered here: it takes most of their time."""
    made_once = cache(_film)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nicelab.report.render._film", made_once)
        yield made_once


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the committed results."""
    folder = tmp_path_factory.mktemp("copy")
    return shutil.copytree(ROOT / "results", folder / "results")


@pytest.fixture(scope="module")
def contents(results: Path) -> Contents:
    found = read_contents(results, *(ROOT / x for x in ("figures", "stages", "params.yaml")))
    return replace(found, provenance={"Versions": {"python": "3"}})


@pytest.fixture(scope="module")
def page(contents: Contents) -> str:
    return render(contents)


@pytest.fixture(scope="module")
def as_markdown(contents: Contents) -> str:
    return render_markdown(contents, "../figures")


@pytest.fixture
def workspace(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the command `report` finds everything in."""
    for name in ("figures", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copytree(results, tmp_path / "results")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke() -> Result:
    return CliRunner().invoke(report)


def refused(message: str) -> None:
    """A missing file or entry is one line, and no page is written."""
    result = invoke()
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.output == f"Error: {message}: make it again with `dvc repro`\n"
    assert not Path("report.html").exists()


def edit(path: Path, change: Callable[[dict], object]) -> None:
    """Change the content of a file of results."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


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
                paper = tag == "a" and attributes[name].startswith("https://arxiv.org/abs/")
                assert paper or attributes[name].startswith(("data:", "#"))
    assert "url(" not in page
    assert "@import" not in page
    assert len(page) < 5_000_000


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_alone_has_a_report(results: Path, tmp_path: Path, family: str) -> None:
    params = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    params.write_text(re.sub("^families: .*", f"families: [{family}]", text, flags=re.MULTILINE))
    page = render(read_contents(results, ROOT / "figures", ROOT / "stages", params))
    flow = read_metrics(results / "training" / f"{family}.json")["flow"]
    assert f"<h1>{flow} on MNIST, and Monte" in page
    assert ("does NICE reach" in page) == (family == "nice")


def test_every_figure_is_there_with_an_alternative_text(page: str) -> None:
    images = [attributes for tag, attributes in tags(page) if tag == "img"]
    assert len(images) == len(FIGURES) == 24
    assert all(len(image["alt"]) > 40 for image in images)


def test_formulas_are_mathml(page: str) -> None:
    assert sum(tag == "math" for tag, _ in tags(page)) > 15


@pytest.mark.parametrize("problem", ARGUMENTS)
def test_the_argument_of_a_problem_is_in_its_section(page: str, problem: str) -> None:
    section, _ = ARGUMENTS[problem]
    sections = BeautifulSoup(page, "html.parser").select("section")
    holding = [s["id"] for s in sections if s.select(f'[id="argument-{problem}"] .formula math')]
    assert holding == [section]


@pytest.mark.parametrize("problem", ARGUMENTS)
def test_the_argument_of_a_problem_is_in_the_markdown(as_markdown: str, problem: str) -> None:
    _, found, rest = as_markdown.partition(f"** (problem {problem}).")
    assert found
    assert ARGUMENTS[problem][1] in rest.partition("\n**")[0]


def test_rows_of_matrices_are_told_apart_without_a_double_backslash(as_markdown: str) -> None:
    """Markdown would take one of the two away."""
    assert "\\begin{pmatrix} I & 0 \\cr B & D \\end{pmatrix}" in as_markdown
    assert "\\\\" not in as_markdown


def test_the_jacobian_of_a_coupling_is_drawn_as_a_matrix(page: str) -> None:
    cells = BeautifulSoup(page, "html.parser").select_one("#argument-4d mtable").select("mtd")
    assert [cell.text for cell in cells] == ["I", "0", "B", "D"]


def test_no_measured_number_is_typed_into_an_argument() -> None:
    assert not re.search(r"\d\.\d|\d{2}", (ROOT / REPORT / "reasoning.html.jinja").read_text())


def test_templates_are_packaged_and_the_report_depends_on_them() -> None:
    deps = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["report"]["deps"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packaged = project["tool"]["setuptools"]["package-data"]["nicelab.report"]
    assert len(TEMPLATES) > 2
    for path in TEMPLATES:
        assert str(REPORT / path.name) in deps
        assert any(path.match(pattern) for pattern in packaged)


def test_links_have_targets(page: str) -> None:
    found = tags(page)
    ids = {attributes["id"] for _, attributes in found if "id" in attributes}
    links = {a["href"] for tag, a in found if tag == "a"}
    assert {link[1:] for link in links if link.startswith("#")} <= ids


def test_the_data_set_is_named(contents: Contents, page: str) -> None:
    flows = " and ".join(x["flow"] for x in contents.metrics["training"].values())
    assert f"<h1>{flows} on {contents.metrics['data']['dataset']}," in page


def test_numbers_come_from_the_results(contents: Contents, page: str) -> None:
    changed = copy.deepcopy(contents.metrics)
    changed["likelihood"][FIRST]["test"]["log_likelihood"] = Estimate(4321.0, 1.0, 10)
    assert "4321.0 ± 1.0" in render(replace(contents, metrics=changed))
    assert "4321.0 ± " not in page


@pytest.mark.parametrize("file", RESULTS)
def test_a_missing_file_of_results_is_named(workspace: Path, file: str) -> None:
    (workspace / "results" / file).unlink()
    refused(f"results/{file} does not exist")


@pytest.mark.parametrize("study", FIGURES)
def test_a_missing_figure_is_named(contents: Contents, study: str) -> None:
    figures = copy.copy(contents.figures)
    del figures[study]
    with pytest.raises(InputError, match=f"figures/{study}.png does not exist: make it again"):
        render(replace(contents, figures=figures))


def test_a_missing_figure_is_one_line(workspace: Path) -> None:
    (workspace / "figures" / "ladder.png").unlink()
    refused("figures/ladder.png does not exist")


@pytest.mark.parametrize(
    ("study", "entry"),
    [
        (f"training/{FIRST}", "best_epoch"),  # in a sentence, as an attribute
        (f"inpainting/{FIRST}", "posterior.chains"),
        ("classifier", "test.accuracy"),
        (f"likelihood/{FIRST}", "validation.bits_per_dim"),  # in a table
        ("gradients", "elbo.variances.pathwise.at_phi"),
        ("importance", "methods.sheet.z_score"),  # in the results
    ],
)
def test_a_missing_number_is_named(workspace: Path, study: str, entry: str) -> None:
    *path, last = entry.split(".")

    def remove(found: dict) -> None:
        for name in path:
            found = found[name]
        del found[last]

    edit(workspace / "results" / f"{study}.json", remove)
    refused(f"results/{study}.json does not hold {entry}")


@pytest.mark.usefixtures("workspace")
def test_a_number_that_the_template_looks_up_as_an_item_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    misspell(monkeypatch, "it.best_epoch", "it['last_epoch']")
    refused(f"results/training/{FIRST}.json does not hold last_epoch")


@pytest.mark.parametrize(
    "study", ["importance", "gradients", f"inpainting/{FIRST}", "convolution"]
)
def test_missing_labels_are_named(workspace: Path, study: str) -> None:
    edit(workspace / "results" / f"{study}.json", lambda found: found.pop("labels"))
    refused(f"results/{study}.json does not hold labels")


def misspell(monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> None:
    """Render with a fault in the template."""
    texts = {path.name: path.read_text() for path in TEMPLATES}
    assert right in texts["report.html.jinja"]
    texts["report.html.jinja"] = texts["report.html.jinja"].replace(right, wrong)
    monkeypatch.setattr("nicelab.report.render.PackageLoader", lambda *_: DictLoader(texts))


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("tables.chains", "tables.chain"),
        ("it.best_epoch", "item.best_epoch"),
        ("sheet.coverage.normal.n", "sheet.coverage.normal.number"),
        ("counts.rules", "counts.rule"),
    ],
)
def test_a_misspelt_name_of_ours_is_no_mistake_of_the_user(
    monkeypatch: pytest.MonkeyPatch, right: str, wrong: str
) -> None:
    misspell(monkeypatch, right, wrong)
    assert isinstance(invoke().exception, UndefinedError)


def test_rows_are_named_by_labels(contents: Contents) -> None:
    changed = copy.deepcopy(contents.metrics)
    names = {
        ("importance", "methods", "siegmund"): 4,
        ("importance", "intervals", "log_normal"): 2,
        ("gradients", "estimators", "pathwise_sobol"): 3,
        ("gradients", "elbo", "product_rule"): 1,
        ("discrete", "estimators", "measure_valued"): 7,
        ("dimensions", "objectives", "logistic"): 4,
        ("inpainting", "masks", "odd_pixels"): 3,
        ("inpainting", "methods", "telea"): 2,
        ("diagnostics", "images", "uniform"): 1,
        ("convolution", "claims", "coupling"): 1,
    }
    for study, group, name in names:
        found = changed[study].get(FIRST, changed[study])
        found["labels"][group][name] = f"«{study} {group}»"
    told = re.sub('data-label="[^"]*"', "", render(replace(contents, metrics=changed)))
    found = {key: told.count(f"«{key[0]} {key[1]}»") for key in names}
    assert found == names


def test_no_name_of_a_program_is_printed_in_a_table(page: str) -> None:
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", page.partition('id="provenance"')[0])
    assert len(cells) > 500
    components = [cell for cell in cells if re.search("[a-z]_[a-z0-9]", cell)]
    assert set(components) == {"mean_0", "mean_1", "log_scale_0", "log_scale_1"}


def test_a_flow_without_a_scaling_has_no_table_of_scales(contents: Contents, page: str) -> None:
    changed = copy.deepcopy(contents.metrics)
    for found in changed["samples"].values():
        found.pop("sigma", None)
    told = render(replace(contents, metrics=changed))
    for text in ("Scales of the latent dimensions", "how much latent dimension"):
        assert text in page
        assert text not in told


def test_things_in_pictures_are_counted(contents: Contents, page: str) -> None:
    methods = contents.metrics["importance"]["methods"].values()
    proposals = sum("hits" in method for method in methods)
    estimators = sum(method["work"].value > 0 for method in methods)
    assert f"under {COUNTS[proposals]} proposals on" in page
    assert f"of {COUNTS[estimators]} estimators of" in page
    changed = copy.deepcopy(contents.metrics)
    for name in ("siegmund", "defensive"):
        del changed["importance"]["methods"][name]
    told = render(replace(contents, metrics=changed))
    assert f"under {COUNTS[proposals - 2]} proposals on" in told
    assert f"of {COUNTS[estimators - 2]} estimators of" in told


def test_the_text_on_nested_proposals_and_on_splitting_follows_the_metrics(
    contents: Contents,
) -> None:
    def told(errors: tuple[float, ...], by_reach: Estimate) -> str:
        changed = copy.deepcopy(contents.metrics)
        methods = changed["importance"]["methods"]
        for name, error in zip(NESTED, errors, strict=True):
            methods[name]["exact_relative_error"] = Estimate.exact(error)
        methods["splitting_by_balance"]["replicated"]["relative_error"] = Estimate(0.2, 0.01, 99)
        methods["splitting_by_reach"]["replicated"]["relative_error"] = by_reach
        return " ".join(render(replace(contents, metrics=changed)).split())

    page = told((0.3, 0.2, 0.1), Estimate(0.1, 0.01, 99))
    assert "the plays left leave less variance" in page
    assert "relative errors of 30 %, 20 %, 10 %" in page
    assert "10 ± 1 %: they do better" in page
    page = told((0.3, 0.1, 0.2), Estimate(0.3, 0.01, 99))
    assert "the plays left do not leave less variance" in page
    assert "30 ± 1 %: they do worse" in page
    page = told((0.3, 0.3, 0.2), Estimate(0.19, 0.01, 99))
    assert "the plays left do not leave less variance" in page
    assert "19 ± 1 %: which is better is open" in page


def test_what_learning_costs_is_a_table(contents: Contents) -> None:
    changed = copy.deepcopy(contents.metrics)
    methods = changed["importance"]["methods"]
    for name, below in (("learned", {"pays_off_below": Estimate(1e-4, 1e-6, 9)}), ("sheet", {})):
        methods[name] |= {"learning": 148_000_000, "rival": "brownian"} | below
    changed["importance"]["methods"]["cross_entropy"].pop("learning", None)
    changed["importance"]["methods"]["cross_entropy_by_play"].pop("learning", None)
    rows = learning(changed["importance"]).rows
    rival = "Brownian h-transform"
    assert rows == [
        ("the sheet's q", "1.48×10⁸", rival, "never"),
        ("cross-entropy, logistic", "1.48×10⁸", rival, "0.01 ± 0.0001 %"),
    ]


def test_rendering_is_reproducible(contents: Contents, page: str, film: Callable) -> None:
    film.cache_clear()
    assert render(contents) == page


def test_the_readme_states_the_committed_results(contents: Contents) -> None:
    readme = (ROOT / "README.md").read_text()
    assert with_results(readme, shown(contents.metrics)) == readme, "run `make readme`"


def test_the_readme_shows_figures_that_exist() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_results_replace_what_was_between_the_marks() -> None:
    text = with_results(f"a\n{BEGIN}\nold\n{END}\nb", "new")
    assert text == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(InputError, match="must hold"):
        with_results("no marks", "new")


def test_results_beside_others_and_alone(contents: Contents) -> None:
    """No column of either table is empty, and no headline is lost."""
    found = headlines(contents.metrics)
    compared, alone = tables(found)
    assert len(compared.rows) + len(alone.rows) == len(found)
    for table in (compared, alone):
        assert all(set(column) != {NONE} for column in zip(*table.rows, strict=True))
    assert {row[1] for row in compared.rows if row[3] == NONE}.isdisjoint({NONE})
    text = markdown(found).split("\n\n")
    assert text[0].startswith(f"| {' | '.join(HEADINGS)} |")
    assert all(len({line.count("|") for line in part.splitlines()}) == 1 for part in text)
    assert any("2.388383" in part for part in text)


def test_columns_of_numbers_are_known() -> None:
    cells = [("NICE", "−1.5 ± 0.2", "(−1.4 ± 0.1)×10⁴", NONE), ("Glow", "7 %", NONE, NONE)]
    assert Table("", ("flow", "a", "b", "c"), cells).numeric == [False, True, True, True]
    assert Table("", ("a",), [("1.5",), ("yes (+0.1)",)]).numeric == [False]


def test_a_rounded_number_is_a_range() -> None:
    assert printed_range("0.000002 ± 0.000000") == pytest.approx((1.5e-6, 2.5e-6))
    assert printed_range("12 ± 1") == pytest.approx((11.5, 12.5))


@pytest.mark.parametrize(
    ("ours", "agrees"),
    [
        (2.45e-6, "yes (+0.0)"),
        (2.51e-6, "yes (−0.1)"),  # which rounds to 0.000003
        (3.0e-6, "no (−5.0)"),
        (1.0e-6, "no (+5.0)"),
    ],
)
def test_the_gambler_agrees_by_its_distance_from_the_printed_range(
    contents: Contents, ours: float, agrees: str
) -> None:
    changed = copy.deepcopy(contents.metrics)
    changed["importance"]["methods"]["sheet"]["probability"] = Estimate(ours, 1e-7, 3000)
    name = "importance.sheet.log10_probability"
    (row,) = [found.row for found in headlines(changed) if found.name == name]
    assert row.published_agrees == agrees


def test_no_local_path_in_the_page(page: str) -> None:
    assert str(Path.home()) not in page
    assert str(ROOT) not in page


def test_every_study_asks_a_question_and_says_how_to_repeat_it(
    contents: Contents, page: str
) -> None:
    assert page.count('class="question"') == 8
    named = set(re.findall(r'href="#source-(\w+)"', page))
    others = {"download", "prepare", "replicate", "ablate", "headlines", "figures", "report"}
    assert named == set(contents.sources) - others
    assert "dvc repro importance" in page
    assert "def main(" in page


def test_points_of_the_ladder_say_their_values(page: str) -> None:
    labels = re.findall(r'class="dot"[^>]*data-label="([^"]*)"', page)
    assert any(label.startswith("cross-entropy, logistic") for label in labels)
    assert sum(label.startswith("q = 0.") for label in labels) > 20


def test_what_has_changed_is_told(contents: Contents, page: str) -> None:
    table = Table(
        "Differences", ("metric", "z"), [("likelihood.nice.test.log_likelihood", "+3.0")]
    )
    since = Since("v1", "headlines: 1 worse", ["train.epochs: 1 → 2"], table)
    told = render(contents, since)
    assert told.index("What changed since v1") < told.index("headlines: 1 worse</p>")
    assert told.index(">+3.0</td>") < told.index("train.epochs") < told.index('id="findings"')
    assert "What changed" not in page
    same = replace(since, table=replace(table, rows=[]))
    assert "<p>No headline differs.</p>" in render(contents, same)


def test_a_page_for_a_reader_tells_when_and_where_it_was_made(
    contents: Contents, page: str
) -> None:
    times = Table("Times", ("stage", "time"), [("train", "3.0 s")])
    made = Made("2020-02-02", "0123456789", "https://example.org/a", "a machine", times)
    told = " ".join(render(contents, made=made).split())
    assert "Made on 2020-02-02 of commit 0123456789 of" in told
    assert '<a href="https://example.org/a">example.org/a</a>, on a machine.' in told
    assert ">3.0 s</td>" in told
    assert "Made on" not in page


def test_markdown_says_the_same(contents: Contents) -> None:
    text = render_markdown(contents, "../figures")
    assert text.startswith("# NICE ")
    assert text.count("](../figures/") == len(FIGURES)
    assert "| quantity | published |" in text
    assert "$$\\log\\, p(x)" in text
    assert "<" not in re.sub(r"\$[^$]*\$|`[^`]*`", "", text)
    for name in re.findall(r"\]\((\.\./figures/[^)]+)\)", text):
        assert (ROOT / "report" / name).resolve().is_file()
