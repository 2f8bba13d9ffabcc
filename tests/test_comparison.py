"""Comparing runs: the verdicts on made-up numbers, and the command in a small DVC project."""

import gc
import json
import subprocess
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from rich.console import Console

from conftest import run
from imports import ROOT
from nicelab.commands.compare import compare as command
from nicelab.commands.report import report
from nicelab.comparison.difference import Changes, changes
from nicelab.comparison.experiments import experiments, over_seeds
from nicelab.comparison.revisions import Revision
from nicelab.comparison.tables import MODEL, cells, listed, summary, terminal
from nicelab.comparison.verdicts import DIRECTIONS, Verdict, compare, direction, flatten
from nicelab.statistics import Estimate, mean

# DVC leaves files open when it does not find a revision.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
NAME = "likelihood.test.log_likelihood"


def verdict(before: Estimate | str, after: Estimate | str, name: str = NAME) -> Verdict:
    (row,) = compare({name: before}, {name: after})
    return row.verdict


def test_verdicts() -> None:
    base = Estimate(10.0, 1.0, 100)
    assert verdict(base, Estimate(15.0, 1.0, 100)) == Verdict.BETTER
    assert verdict(base, Estimate(5.0, 1.0, 100)) == Verdict.WORSE
    assert verdict(base, Estimate(11.0, 1.0, 100)) == Verdict.NO_EVIDENCE
    assert verdict(base, base) == Verdict.SAME
    assert verdict(base, Estimate(5.0, 1.0, 100), "likelihood.test.bits_per_dim") == Verdict.BETTER
    assert verdict(base, Estimate(5.0, 1.0, 100), "diagnostics.what") == Verdict.DIFFERENT
    assert verdict(Estimate.exact(1), Estimate.exact(2)) == Verdict.CHANGED
    assert verdict(Estimate.exact(1), Estimate.exact(1 + 1e-15)) == Verdict.SAME
    assert verdict("MNIST", "digits") == Verdict.CHANGED
    assert compare({}, {NAME: base})[0].verdict == Verdict.NEW
    assert compare({NAME: base}, {})[0].verdict == Verdict.GONE


def test_the_difference_is_after_less_before_and_its_error_adds_in_squares() -> None:
    (row,) = compare({NAME: Estimate(10.0, 3.0, 50)}, {NAME: Estimate(12.0, 4.0, 100)})
    assert row.difference == Estimate(2.0, 5.0, 50)
    assert row.z == pytest.approx(0.4)


def test_a_share_of_one_is_not_known_exactly() -> None:
    """20 of 20 replicates covered is no evidence against 95 %; 2000 of 2000 is."""
    share = Estimate(0.95, 0.007, 1000)
    assert verdict(share, Estimate(1.0, 0.0, 20), "coverage") == Verdict.NO_EVIDENCE
    assert verdict(share, Estimate(1.0, 0.0, 2000), "coverage") == Verdict.DIFFERENT


def test_noise_is_rarely_called_a_difference() -> None:
    """Of 2000 metrics of the same runs 5 % differ by 1.96 standard errors; corrected, none."""
    random = np.random.default_rng(0)
    before = {f"m{k}": Estimate(random.normal(), 1.0, 10) for k in range(2000)}
    after = {f"m{k}": Estimate(random.normal(), 1.0, 10) for k in range(2000)}
    rows = compare(before, after)
    assert sum(abs(row.z) > 1.96 for row in rows) > 50
    assert all(row.verdict == Verdict.NO_EVIDENCE for row in rows)
    after["m7"] = Estimate(10.0, 1.0, 10)
    assert sum(row.verdict == Verdict.DIFFERENT for row in compare(before, after)) == 1


def test_pairs_see_what_independent_errors_hide() -> None:
    random = np.random.default_rng(0)
    hard = random.normal(0, 100, 1000)
    before, after = hard + random.normal(0, 1, 1000), hard + 0.5 + random.normal(0, 1, 1000)
    metrics = [{NAME: mean(x)} for x in (before, after)]
    assert compare(*metrics)[0].verdict == Verdict.NO_EVIDENCE
    (row,) = compare(*metrics, pairs=lambda name: (before, after))
    assert row.paired
    assert row.verdict == Verdict.BETTER
    assert row.difference.standard_error == pytest.approx(2**0.5 / 1000**0.5, rel=0.1)


def test_samples_that_are_not_the_metrics_are_not_paired() -> None:
    """Such as those of an older run that the cache still has."""
    metrics = [{NAME: Estimate(x, 1.0, 3)} for x in (1.0, 2.0)]
    samples = np.array([0.0, 1.0, 2.0])
    (row,) = compare(*metrics, pairs=lambda name: (samples, samples))
    assert not row.paired


def test_flatten() -> None:
    found = flatten({"a": {"b": {"value": 1.0, "standard_error": 0.1, "n": 5}, "c": 3},
                     "d": "text", "e": True, "f": None})  # fmt: skip
    assert found == {"a.b": Estimate(1.0, 0.1, 5), "a.c": Estimate.exact(3), "d": "text",
                     "e": "True", "f": "None"}  # fmt: skip


def test_every_direction_fits_a_metric() -> None:
    """A declaration that fits none is a misspelling."""
    names = [
        name
        for path in (ROOT / "metrics").glob("*.json")
        for name in flatten({path.stem: json.loads(path.read_text())})
    ]

    for pattern in DIRECTIONS:
        assert any(fnmatchcase(name, pattern) for name in names), pattern
    assert direction("inpainting.mean_over_masks.gaussian.psnr") == 1
    assert direction("importance.methods.sheet.exact_relative_error") == -1
    assert direction("inpainting.mean_over_masks.gaussian.log_likelihood") == 0


EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name for no files at all
STAGE = """\
import json, numpy as np, sys
from ruamel.yaml import YAML
p = YAML(typ="safe", pure=True).load(open("params.yaml"))["train"]
x = np.random.default_rng(0).normal(0, 100, 500) + p["gain"] + p["seed"]
np.savez("results/likelihood.npz", test=x)
value = {"value": x.mean(), "standard_error": x.std(ddof=1) / 500**0.5, "n": 500}
json.dump({"dataset": "none", "test": {"log_likelihood": value}},
          open("metrics/likelihood.json", "w"))
"""
PIPELINE = """\
stages:
  prepare:
    cmd: mkdir -p data results metrics && cp raw.txt data/images.npz
    deps: [raw.txt]
    outs: [data/images.npz]
  train:
    cmd: python train.py
    deps: [train.py, data/images.npz]
    params: [train]
    outs: [results/likelihood.npz]
    metrics:
      - metrics/likelihood.json: {cache: false}
  after:
    cmd: cp metrics/likelihood.json copy.json
    deps: [metrics/likelihood.json]
    outs: [copy.json]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits: `first`, and main, where the parameter is one more."""
    root = tmp_path_factory.mktemp("project")
    for words in (("git", "init", "-q", "-b", "main"), ("git", "config", "user.name", "n"),
                    ("git", "config", "user.email", "n@e"), ("dvc", "init", "-q")):  # fmt: skip
        run(root, *words)
    files = {"train.py": STAGE, "dvc.yaml": PIPELINE, "raw.txt": "images",
             "params.yaml": "train: {gain: 0.0, seed: 0}\n",
             ".gitignore": "/data\n/results\n/copy.json\n"}  # fmt: skip
    for name, text in files.items():
        (root / name).write_text(text)
    commit(root, "first")
    run(root, "git", "tag", "first")
    (root / "params.yaml").write_text("train: {gain: 1.0, seed: 0}\n")
    commit(root, "second")
    return root


def commit(root: Path, message: str) -> None:
    run(root, "dvc", "repro", "-q")
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-qm", message)


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as it was committed, without experiments."""
    if (made / ".git" / "refs" / "exps").is_dir():
        run(made, "dvc", "exp", "remove", "-q", "-A")
    run(made, "git", "checkout", "-q", "-f", "main")
    run(made, "git", "clean", "-fdq")
    run(made, "dvc", "checkout", "-q")
    monkeypatch.chdir(made)
    return made


def invoke(*options: str) -> Result:
    return CliRunner().invoke(command, options)


@pytest.mark.usefixtures("project")
def test_two_commits() -> None:
    """The parameter, the stages it affects, and a paired difference of exactly one."""
    result = invoke("first", "main", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["params"] == {"train.gain": [0.0, 1.0]}
    assert found["code"] == found["data"] == found["stale"] == []
    assert found["stages"] == ["train", "after"]
    (row,) = [row for row in found["rows"] if row["name"] == NAME]
    assert row["difference"]["value"] == pytest.approx(1)
    assert row["paired"]
    assert row["verdict"] == "better"


def test_from_a_folder_inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as from the top, for a commit and for the workspace."""
    (project / "raw.txt").write_text("others")
    for revisions in (("first", "main"), ("first",)):
        monkeypatch.chdir(project)
        here = invoke(*revisions, "--json")
        assert here.exit_code == 0, here.output
        monkeypatch.chdir(project / "metrics")
        assert invoke(*revisions, "--json").output == here.output


@pytest.mark.usefixtures("project")
def test_as_table_and_as_markdown() -> None:
    printed = invoke("first", "main").output
    assert "train.gain: 0.0 → 1.0" in printed
    assert "1 better" in printed
    text = invoke("first", "main", "--md").output
    assert text.startswith("### first → main")
    assert f"| {NAME} |" in text
    assert "| likelihood.dataset |" not in text
    assert "| likelihood.dataset |" in invoke("first", "main", "--md", "--all").output


def test_two_trainings_are_not_two_recipes() -> None:
    """A line warns wherever the model is another one, and nowhere else."""
    for model, warned in (("one", False), ("another", True)):
        rows = compare({MODEL: "one"}, {MODEL: model})
        lines = summary(Changes("before", "after", {}, [], [], [], [], rows))
        assert any(line.startswith("trained anew: ") for line in lines) == warned


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("width", [60, 80, 150])
def test_no_column_is_cut_off(width: int) -> None:
    """The table has every letter, however it wraps, and no line longer than the terminal."""
    with Revision("first") as one, Revision("main") as two:
        found = changes(one, two)
    console = Console(width=width, record=True)
    terminal(found, False, console)
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    (rule,) = [k for k, line in enumerate(lines) if "────" in line]
    (end,) = [k for k, line in enumerate(lines) if line.startswith("Differences are")]
    wanted = "".join(text for row in listed(found) for text in cells(row))
    shown = "".join(lines[rule + 1 : end])
    assert Counter(shown.replace(" ", "")) == Counter(wanted.replace(" ", ""))


@pytest.mark.usefixtures("project")
def test_worse_has_its_own_exit_status() -> None:
    assert invoke("first", "main", "--fail-if-worse").exit_code == 0
    assert invoke("main", "first", "--fail-if-worse").exit_code == 2


def test_a_workspace_with_changes(project: Path) -> None:
    """It is the workspace's numbers that count, and stages that have not run are named."""
    assert "stages affected: none" in invoke().output
    (project / "train.py").write_text(STAGE + "# new\n")
    (project / "raw.txt").write_text("other images")
    found = json.loads(invoke("--json").output)
    assert found["code"] == ["train.py"]
    assert found["data"] == ["raw.txt"]
    assert found["stages"] == ["prepare", "train", "after"]
    assert found["stale"] == ["prepare", "train"]
    (project / "train.py").write_text(STAGE)
    (project / "raw.txt").write_text("images")
    (project / "dvc.yaml").write_text(PIPELINE.replace("python train.py", "python -O train.py"))
    assert json.loads(invoke("--json").output)["stages"] == ["train", "after"]
    metrics = project / "metrics" / "likelihood.json"
    metrics.write_text(metrics.read_text().replace("none", "other"))
    changed = [row for row in json.loads(invoke("--json").output)["rows"]
               if row["verdict"] == "changed exactly"]  # fmt: skip
    assert [row["name"] for row in changed] == ["likelihood.dataset"]


def test_other_images_are_not_paired(project: Path) -> None:
    (project / "raw.txt").write_text("other images")
    (project / "params.yaml").write_text("train: {gain: 3.0, seed: 0}\n")
    run(project, "dvc", "repro", "-q")
    (row,) = [row for row in json.loads(invoke("--json").output)["rows"] if row["name"] == NAME]
    assert not row["paired"]
    assert row["verdict"] == "no evidence"


def refused(result: Result, message: str) -> None:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.output.count("\n") == 1
    assert message in result.output


def test_what_cannot_be_compared(project: Path, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    refused(invoke("nowhere"), "revision nowhere cannot be opened")
    refused(invoke("a", "b", "c"), "expected at most two revisions, got 3")
    refused(invoke("--plot", "x.png"), "--plot, --metric and --over-seeds go with --experiments")
    refused(invoke("--experiments", "main"), "--experiments takes no revisions")
    metrics, whole = project / "metrics" / "likelihood.json", "{}"
    for text, message in (("{", "likelihood.json at workspace is not JSON"),
                          ("[1]", "holds no named metrics")):  # fmt: skip
        metrics.write_text(text)
        refused(invoke(), message)
    metrics.write_text(whole)
    params = project / "params.yaml"
    right = params.read_text()
    for text in ("a: [1", "3"):
        params.write_text(text)
        refused(invoke(), "params.yaml")
    params.write_text(right)
    metrics.unlink()
    refused(invoke(), "workspace has no metrics")
    monkeypatch.chdir(tmp_path)
    refused(invoke(), "is not a git repository")


def test_a_refusal_leaves_no_file_open(project: Path) -> None:
    """Git's packs are closed; else collecting the garbage warns, and a warning is an error."""
    empty = run(project, "git", "commit-tree", "-m", "empty", EMPTY_TREE).strip()
    run(project, "git", "gc", "-q")
    for name in ("nowhere", empty):
        refused(invoke(name), f"revision {name} cannot be opened")
    gc.collect()


def test_another_schema(project: Path) -> None:
    """Metrics that have other parts are gone and new; nothing else is made of them."""
    metrics = project / "metrics" / "likelihood.json"
    metrics.write_text('{"test": {"log_likelihood": {"mean": 3, "sd": [1, 2]}}}')
    rows = {row["name"]: row["verdict"] for row in json.loads(invoke("--json").output)["rows"]}
    assert rows == {
        "likelihood.dataset": "gone",
        NAME: "gone",
        f"{NAME}.mean": "new",
        f"{NAME}.sd": "new",
    }


def test_a_shallow_clone(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cache there is nothing to pair; without the history a line says so."""
    run(tmp_path, "git", "clone", "-q", "--depth=1", f"file://{project}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    result = invoke("HEAD", "main", "--json")
    assert result.exit_code == 0, result.output
    assert {row["verdict"] for row in json.loads(result.output)["rows"]} == {"same"}
    refused(invoke("HEAD~1"), "revision HEAD~1 cannot be opened (history missing?")


def test_experiments(project: Path) -> None:
    """Each beside the others, as a table and as a picture, and against a commit by its name."""
    refused(invoke("--experiments"), "no experiments from this commit")
    for gain in (2, 40):
        run(project, "dvc", "exp", "run", "-q", "-n", f"gain-{gain}", "-S", f"train.gain={gain}")
    result = invoke("--experiments", "--metric", NAME, "--plot", "sweep.png")
    assert result.exit_code == 0, result.output
    for text in ("workspace", "gain-2", "gain-40", "train.gain", NAME):
        assert text in result.output
    with Image.open("sweep.png") as picture:
        assert picture.width > 1000
    refused(invoke("--experiments", "--metric", "x"), "no experiment has a metric x")
    found = json.loads(invoke("first", "gain-40", "--json").output)
    assert found["params"] == {"train.gain": [0.0, 40]}


def test_seeds_are_averaged_recipe_by_recipe(project: Path) -> None:
    """The same run under two names counts once; a recipe with one seed has no error."""
    refused(invoke("--experiments", "--over-seeds"), "no experiments from this commit")
    settings = {"a": (2, 1), "b": (2, 2), "c": (2, 4), "d": (2, 4), "e": (7, 1)}
    for name, (gain, seed) in settings.items():
        values = ("-S", f"train.gain={gain}", "-S", f"train.seed={seed}")
        run(project, "dvc", "exp", "run", "-q", "-f", "-n", name, *values)
    run(project, "git", "checkout", "-q", "-f", "main")
    run(project, "dvc", "checkout", "-q")
    first, *others = over_seeds(experiments())
    assert first.name == "workspace"
    assert first.metrics[NAME].standard_error == 0
    found = {run.name: (run.params, run.metrics[NAME]) for run in others}
    assert set(found) == {"a and 2 other seeds", "e"}
    params, value = found["a and 2 other seeds"]
    assert params == {"train.gain": 2}
    x = np.random.default_rng(0).normal(0, 100, 500).mean()
    assert vars(value) == pytest.approx(vars(mean([x + 2 + seed for seed in (1, 2, 4)])))
    result = invoke("--experiments", "--over-seeds", "--metric", NAME, "--plot", "sweep.png")
    assert result.exit_code == 0, result.output
    assert "a and 2 other seeds" in result.output
    refused(invoke("--over-seeds"), "go with --experiments")


def test_the_command_is_part_of_nicelab() -> None:
    done = subprocess.run(["nicelab", "compare", "--help"], capture_output=True, text=True)
    assert "DVC experiment" in done.stdout


def test_the_report_says_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    out = tmp_path / "page.html"
    result = CliRunner().invoke(report, ["--against", "HEAD", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "What changed since HEAD" in out.read_text()
    refused(
        CliRunner().invoke(report, ["--against", "no", "--out", f"{out}x"]), "revision no cannot"
    )
    assert not Path(f"{out}x").exists()
