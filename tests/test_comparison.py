"""Comparing revisions and experiments with the command, in a small DVC project."""

import gc
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from rich.console import Console
from scipy.stats import norm, ttest_ind

from conftest import run
from imports import ROOT
from nicelab.commands.compare import compare as command
from nicelab.commands.report import report
from nicelab.comparison.difference import compare_revisions
from nicelab.comparison.experiments import (
    Experiment,
    against_the_first,
    in_order,
    intervals,
    labels,
    over_seeds,
    read_experiments,
)
from nicelab.comparison.revisions import Revision
from nicelab.comparison.seeds import SpreadOverTrainings, seeds_deviation
from nicelab.comparison.tables import cells, listed, terminal
from nicelab.comparison.verdicts import Verdict
from nicelab.statistics import Estimate, mean

# DVC leaves files open when it does not find a revision.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
NAME = "likelihood.nice.test_log_likelihood"  # a headline
RESULT = "likelihood.nice.test.log_likelihood"  # where it comes from


FILES = {"metrics/likelihood.json": (), "results/likelihood/nice.json": ("--all",)}
VALUE = {"test_log_likelihood": {"value": 5.0, "standard_error": 4.0}}
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name for no files at all
STAGE = """\
import json, numpy as np, sys
from ruamel.yaml import YAML
p = YAML(typ="safe", pure=True).load(open("params.yaml"))["train"]
x = np.random.default_rng(0).normal(0, 100, 500) + p["gain"] + p["seed"]
np.savez("arrays/likelihood/nice.npz", test=x)
value = {"value": x.mean(), "standard_error": x.std(ddof=1) / 500**0.5, "n": 500}
json.dump({"dataset": "none", "test": {"log_likelihood": value}},
          open("results/likelihood/nice.json", "w"))
"""
HEADLINES = """\
import json
found = json.load(open("results/likelihood/nice.json"))["test"]["log_likelihood"]
headline = {part: found[part] for part in ("value", "standard_error")}
json.dump({"nice": {"test_log_likelihood": headline}}, open("metrics/likelihood.json", "w"))
"""
PIPELINE = """\
stages:
  prepare:
    cmd: mkdir -p data results/likelihood arrays/likelihood metrics && cp raw.txt data/images.npz
    deps: [raw.txt]
    outs: [data/images.npz]
  train:
    cmd: python train.py
    deps: [train.py, data/images.npz]
    params: [train]
    outs:
      - arrays/likelihood/nice.npz
      - results/likelihood/nice.json: {cache: false}
  headlines:
    cmd: python headlines.py
    deps: [headlines.py, results/likelihood]
    metrics:
      - metrics/likelihood.json: {cache: false}
  after:
    cmd: cp results/likelihood/nice.json copy.json
    deps: [results/likelihood/nice.json]
    outs: [copy.json]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits: `first`, and main, where the parameter is one more."""
    root = tmp_path_factory.mktemp("project")
    run(root, "git", "init", "-q", "-b", "main")
    for name, value in (("user.name", "n"), ("user.email", "n@e")):
        run(root, "git", "config", name, value)
    run(root, "dvc", "init", "-q")
    files = {
        "train.py": STAGE,
        "headlines.py": HEADLINES,
        "dvc.yaml": PIPELINE,
        "raw.txt": "images",
        "params.yaml": "train: {gain: 0.0, seed: 0}\n",
        ".gitignore": "/data\n/arrays\n/copy.json\n",
    }
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
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project as it was committed, without experiments."""
    root = tmp_path / "project"
    shutil.copytree(made, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def invoke(*options: str) -> Result:
    return CliRunner().invoke(command, options)


@pytest.mark.usefixtures("project")
def test_two_commits() -> None:
    """The parameter, the stages it affects, and a paired difference of exactly one."""
    result = invoke("first", "main", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["params"] == {"train.gain": [0.0, 1.0]}
    assert found["code"] == found["data"] == found["not_cached"] == []
    assert found["stale"] == {}
    assert found["stages"] == ["train", "headlines", "after"]
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
        monkeypatch.chdir(project / "results")
        assert invoke(*revisions, "--json").output == here.output


@pytest.mark.usefixtures("project")
def test_as_table_and_as_markdown() -> None:
    printed = invoke("first", "main").output
    assert "train.gain: 0.0 → 1.0" in printed
    assert "1 better" in printed
    text = invoke("first", "main", "--md").output
    assert text.startswith("### first → main")
    assert f"| {NAME} |" in text
    assert f"| {RESULT} |" in invoke("first", "main", "--md", "--all").output


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("width", [60, 80, 150])
def test_no_column_is_cut_off(width: int) -> None:
    """The table has every letter, however it wraps, and no line longer than the terminal."""
    with Revision("first") as one, Revision("main") as two:
        found = compare_revisions(one, two)
    console = Console(width=width, record=True)
    terminal(found, console)
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    (rule,) = [k for k, line in enumerate(lines) if "────" in line]
    (end,) = [k for k, line in enumerate(lines) if line.startswith("The probability that")]
    wanted = "".join(text for row in listed(found) for text in cells(row))
    shown = "".join(lines[rule + 1 : end])
    assert Counter(shown.replace(" ", "")) == Counter(wanted.replace(" ", ""))


@pytest.mark.usefixtures("project")
def test_worse_has_its_own_exit_status() -> None:
    assert invoke("first", "main", "--fail-if-worse").exit_code == 0
    for options in ((), ("--all",)):
        failed = invoke("main", "first", "--fail-if-worse", *options)
        assert failed.exit_code == 2
        assert f"worse: {RESULT if options else NAME}" in failed.output.splitlines()


def rewrite(path: Path, change: Callable[[dict], object]) -> None:
    """Change the content of a JSON file."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def verdicts(*options: str) -> dict[str, str]:
    result = invoke("--json", *options)
    assert result.exit_code == 0, result.output
    return {row["name"]: row["verdict"] for row in json.loads(result.output)["rows"]}


def test_a_headline_that_is_gone_fails_the_gate(project: Path) -> None:
    rewrite(project / "metrics" / "likelihood.json", lambda found: found.pop("nice"))
    failed = invoke("--fail-if-worse")
    assert failed.exit_code == 2
    assert f"gone: {NAME}" in failed.output
    rewrite(project / "results" / "likelihood" / "nice.json", lambda found: found.pop("dataset"))
    assert invoke("--fail-if-worse", "--all").exit_code == 0  # which way is better is not known
    rewrite(project / "results" / "likelihood" / "nice.json", lambda found: found.pop("test"))
    assert f"gone: {RESULT}" in invoke("--fail-if-worse", "--all").output


def test_an_exact_error_that_grows_fails_the_gate(project: Path) -> None:
    """Unless it stays rounding: 37 nats do not, and 100 times 1e-14 do."""
    error = "convolution.coupling.largest_absolute_error"
    path = project / "results" / "convolution.json"
    path.write_text('{"coupling": {"largest_absolute_error": 1.4e-14}}')
    run(project, "git", "add", "-A")
    run(project, "git", "commit", "-qm", "an error")
    for value, verdict in ((1.4e-12, "same"), (37.0, "worse")):
        path.write_text(json.dumps({"coupling": {"largest_absolute_error": value}}))
        assert verdicts("--all")[error] == verdict
        assert invoke("--all", "--fail-if-worse").exit_code == 2 * (verdict == "worse")


def test_two_trainings_are_not_two_recipes(project: Path) -> None:
    """A difference over images alone is no evidence, until the spread over trainings is known."""
    both = project / "results" / "training" / "nice.json", project / "metrics" / "likelihood.json"
    spread = project / "replicates" / "likelihood" / "nice.json"
    both[0].parent.mkdir()
    both[0].write_text('{"model_md5": "another"}')
    rewrite(both[1], lambda found: found["nice"]["test_log_likelihood"].update(value=-999))
    assert verdicts()[NAME] == "no evidence"
    assert "the spread over trainings is unknown: likelihood.nice" in invoke().output
    assert invoke("--fail-if-worse").exit_code == 0
    spread.parent.mkdir(parents=True)
    for deviation, verdict in ((1.0, "worse"), (1000.0, "no evidence")):
        known = {"test": {"log_likelihood": {"standard_deviation": deviation}}}
        spread.write_text(json.dumps({"likelihood": known}))
        assert verdicts()[NAME] == verdict
    both[0].unlink()
    assert verdicts()[NAME] == "worse"  # it is the same model


def test_a_mean_over_trainings_has_its_spread_already() -> None:
    """One training has the spread of its replicates, if they are of the same images."""
    known = {"test": {"log_likelihood": {"standard_deviation": 0.2}}}
    replicates = {"nice": {"images_md5": "a", "likelihood": known}}
    seeds = "likelihood.nice.over_seeds.test.log_likelihood"
    of_one, of_many, of_others = (
        SimpleNamespace(
            replicates=replicates, results={"training.nice.images_md5": images, **more}
        )
        for images, more in (("a", {}), ("a", {seeds: Estimate(1.0, 0.1, 4)}), ("b", {}))
    )
    assert [seeds_deviation(x, NAME) for x in (of_one, of_many, of_others)] == [0.2, 0, None]
    assert [seeds_deviation(x, RESULT) for x in (of_one, of_many, of_others)] == [0.2, 0.2, None]
    assert seeds_deviation(of_one, RESULT.replace("nice", "other")) is None
    assert seeds_deviation(of_one, RESULT.replace("nice", "nice.over_seeds")) == 0


@pytest.mark.usefixtures("project")
def test_rounding_has_no_spread_over_trainings() -> None:
    """A flow that no longer gives its images back is worse, whichever model it is."""
    with Revision("first") as one, Revision("main") as two:
        model = "training.nice.model_md5"
        one.results[model], two.results[model] = "one", "two"
        spread = SpreadOverTrainings(one, two)
    assert spread("samples.log10_round_trip_error") == 0
    assert spread("samples.nice.sigma.largest") is None
    assert spread("samples.other.sigma.largest") == 0


def test_another_seed_is_never_worse(project: Path) -> None:
    """The same loss is worse where anything else has changed too."""
    for params, verdict in (
        ("{gain: 1.0, seed: -900}", "no evidence"),
        ("{gain: 1.5, seed: -900}", "worse"),
    ):
        (project / "params.yaml").write_text(f"train: {params}\n")
        run(project, "dvc", "repro", "-q")
        assert verdicts() == {NAME: verdict}


def test_a_number_that_is_not_finite_is_named(project: Path) -> None:
    whole = json.loads((project / "results" / "likelihood" / "nice.json").read_text())
    for name, options in FILES.items():
        path = project / name
        before = path.read_text()
        for value in ("NaN", "Infinity", "null", "1" + "0" * 400):
            text = before.replace(str(whole["test"]["log_likelihood"]["value"]), value)
            assert text != before
            path.write_text(text)
            refused(invoke(*options), f"log_likelihood in {name} at workspace")
        path.write_text(before)


def test_what_is_no_headline_is_named(project: Path) -> None:
    """As in the metrics of revisions that are older than the headlines."""
    old = json.loads((project / "results" / "likelihood" / "nice.json").read_text())
    (project / "metrics" / "likelihood.json").write_text(json.dumps({"nice": old}))
    refused(invoke(), "metrics at workspace holds likelihood.nice.dataset, which is no headline")
    (project / "results" / "likelihood" / "nice.json").unlink()
    assert verdicts("--all") == {"likelihood.nice.dataset": "same", RESULT: "same"}


def test_a_workspace_with_changes(project: Path) -> None:
    """It is the workspace's numbers that count, and stages that have not run are named."""
    assert "stages affected: none" in invoke().output
    (project / "train.py").write_text(STAGE + "# new\n")
    (project / "raw.txt").write_text("other images")
    found = json.loads(invoke("--json").output)
    assert found["code"] == ["train.py"]
    assert found["data"] == ["raw.txt"]
    assert found["stages"] == ["prepare", "train", "headlines", "after"]
    assert found["stale"] == {"workspace": ["prepare", "train"]}
    assert [row["verdict"] for row in found["rows"]] == ["stale"]
    assert invoke("--fail-if-worse").exit_code == 2
    (project / "train.py").write_text(STAGE)
    (project / "raw.txt").write_text("images")
    (project / "dvc.yaml").write_text(PIPELINE.replace("python train.py", "python -O train.py"))
    found = json.loads(invoke("--json").output)
    assert found["stages"] == ["train", "headlines", "after"]
    assert found["stale"] == {"workspace": ["train"]}
    (project / "dvc.yaml").write_text(PIPELINE)
    rewrite(
        project / "results" / "likelihood" / "nice.json",
        lambda found: found.update(dataset="other"),
    )
    assert verdicts("--all") == {"likelihood.nice.dataset": "changed exactly", RESULT: "same"}


def test_the_same_on_another_machine_is_called_that(project: Path) -> None:
    assert "another machine" not in invoke().output
    assert "another machine" not in invoke("first").output  # its parameters are others
    training = project / "results" / "training" / "nice.json"
    training.parent.mkdir()
    training.write_text('{"torch": "2", "device": "cpu", "threads": 2, "epochs": 3}')
    commit(project, "trained")
    training.write_text('{"torch": "2", "device": "cuda", "threads": 2, "epochs": 4}')
    rewrite(
        project / "metrics" / "likelihood.json",
        lambda found: found["nice"]["test_log_likelihood"].update(value=1.0),
    )
    told = invoke().output
    assert "code, data and parameters are the same: a run of the same on another machine" in told
    assert "trained with nice.device: cpu → cuda" in told
    assert "threads: 2" not in told


@pytest.mark.slow
def test_what_an_experiment_did_not_compute_is_not_the_same(project: Path) -> None:
    """It ran up to the training: its headlines are those of before, and evidence of nothing."""
    run(project, "dvc", "exp", "run", "-q", "-n", "half", "-S", "train.gain=-99", "train")
    run(project, "git", "checkout", "-q", "-f", "main")
    run(project, "dvc", "checkout", "-q")
    assert verdicts("main", "half") == {NAME: "stale"}
    assert verdicts("half", "main") == {NAME: "stale"}
    assert verdicts("main", "half", "--all")[RESULT] == "worse"
    found = json.loads(invoke("main", "half", "--json").output)
    assert found["stale"] == {"half": ["after", "headlines"]}
    _, half = read_experiments()
    assert half.metrics[NAME] == "stale"
    assert isinstance(half.metrics[RESULT], Estimate)
    assert "stale" in invoke("--experiments", "--metric", NAME).output
    run(project, "dvc", "exp", "run", "-q", "-n", "whole", "-S", "train.gain=-99")
    run(project, "git", "checkout", "-q", "-f", "main")
    assert verdicts("main", "whole") == {NAME: "worse"}


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


def test_what_cannot_be_compared(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(invoke("nowhere"), "revision nowhere cannot be opened")
    refused(invoke("a", "b", "c"), "expected at most two revisions, got 3")
    refused(invoke("--plot", "x.png"), "--plot, --metric and --over-seeds go with --experiments")
    refused(invoke("--experiments", "main"), "--experiments takes no revisions")
    for name, options in FILES.items():
        path = project / name
        whole = path.read_text()
        for text, message in (("{", "json at workspace is not JSON"), ("[1]", "no named metrics")):
            path.write_text(text)
            refused(invoke(*options), message)
        path.write_text(whole)
    params = project / "params.yaml"
    right = params.read_text()
    for text in ("a: [1", "3"):
        params.write_text(text)
        refused(invoke(), "params.yaml")
    params.write_text(right)
    (project / "metrics" / "likelihood.json").unlink()
    refused(invoke(), "workspace has no headlines")
    (project / "results" / "likelihood" / "nice.json").unlink()
    refused(invoke("--all"), "workspace has no results")
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
    metrics = project / "results" / "likelihood" / "nice.json"
    metrics.write_text('{"test": {"log_likelihood": {"mean": 3, "sd": [1, 2]}}}')
    assert verdicts("--all") == {
        "likelihood.nice.dataset": "gone",
        RESULT: "gone",
        f"{RESULT}.mean": "new",
        f"{RESULT}.sd": "new",
    }


def test_labels_are_no_metrics(project: Path) -> None:
    """Whoever writes or changes them changes nothing that is measured, in all that lists it."""
    before = json.loads(invoke("--json", "--all").output)["rows"]
    metrics = project / "results" / "likelihood" / "nice.json"
    found = json.loads(metrics.read_text())
    metrics.write_text(json.dumps({**found, "labels": {"parts": {"test": "test images"}}}))
    assert json.loads(invoke("--json", "--all").output)["rows"] == before
    assert "labels" not in invoke("--all").output + invoke("--md", "--all").output
    run(project, "dvc", "exp", "run", "-q", "-f", "-n", "other", "-S", "train.gain=2")
    for one in read_experiments():
        assert set(one.metrics) == {"likelihood.nice.dataset", RESULT, NAME}
    refused(
        invoke("--experiments", "--metric", "likelihood.nice.labels.parts.test"), "no experiment"
    )


def test_a_shallow_clone(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cache there is nothing to pair, and nothing stale; a line tells each lack."""
    run(tmp_path, "git", "clone", "-q", "--depth=1", f"file://{project}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    result = invoke("HEAD", "main", "--json")
    assert result.exit_code == 0, result.output
    assert {row["verdict"] for row in json.loads(result.output)["rows"]} == {"same"}
    rewrite(Path("metrics", "likelihood.json"), lambda found: found["nice"].update(VALUE))
    found = json.loads(invoke("--json").output)
    assert (found["stale"], found["not_cached"]) == ({}, ["arrays/likelihood/nice.npz"])
    assert "not in the cache of both: arrays/likelihood/nice.npz" in invoke().output
    refused(invoke("HEAD~1"), "revision HEAD~1 cannot be opened (history missing?")


@pytest.mark.slow
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
    assert RESULT in invoke("--experiments").output
    found = json.loads(invoke("first", "gain-40", "--json").output)
    assert found["params"] == {"train.gain": [0.0, 40]}


@pytest.mark.slow
def test_seeds_are_averaged_recipe_by_recipe(project: Path) -> None:
    """The same run under two names counts once; a recipe with one seed has no error."""
    refused(invoke("--experiments", "--over-seeds"), "no experiments from this commit")
    settings = {"a": (2, 1), "b": (2, 2), "c": (2, 4), "d": (2, 4), "e": (7, 1)}
    for name, (gain, seed) in settings.items():
        values = ("-S", f"train.gain={gain}", "-S", f"train.seed={seed}")
        run(project, "dvc", "exp", "run", "-q", "-f", "-n", name, *values)
    run(project, "git", "checkout", "-q", "-f", "main")
    run(project, "dvc", "checkout", "-q")
    first, *others = over_seeds(read_experiments())
    assert first.name == "workspace"
    assert first.metrics[NAME].standard_error == 0
    found = {run.name: (run.seeds, run.params, run.metrics[NAME]) for run in others}
    assert set(found) == {"a", "e"}
    seeds, params, value = found["a"]
    assert seeds == 3
    assert params == {"train.gain": 2}
    x = np.random.default_rng(0).normal(0, 100, 500).mean()
    assert vars(value) == pytest.approx(vars(mean([x + 2 + seed for seed in (1, 2, 4)])))
    result = invoke("--experiments", "--over-seeds", "--metric", NAME, "--plot", "sweep.png")
    assert result.exit_code == 0, result.output
    assert "one seed is no recipe" in " ".join(result.output.split())
    refused(invoke("--over-seeds"), "go with --experiments")


@pytest.mark.slow
def test_a_sweep_as_markdown_as_json_and_as_a_gate(project: Path) -> None:
    """Runs are known by what differs in them; what fails is named."""
    run(project, "dvc", "exp", "run", "-q", "-n", "loss", "-S", "train.gain=-99")
    run(project, "git", "checkout", "-q", "-f", "main")
    run(project, "dvc", "checkout", "-q")
    options = ("--experiments", "--metric", RESULT)
    lines = invoke(*options, "--md").output.splitlines()
    assert lines[0] == f"| experiment | train.gain | {RESULT} | verdict |"
    assert lines[3].startswith("| loss | -99 | ")
    assert " | worse (p = " in lines[3]
    first, loss = json.loads(invoke(*options, "--json").output)
    assert (first["label"], loss["label"]) == ("train.gain=1.0", "train.gain=-99")
    assert (first["rows"], [row["verdict"] for row in loss["rows"]]) == ([], ["worse"])
    failed = invoke(*options, "--fail-if-worse")
    assert failed.exit_code == 2
    assert f"worse: train.gain=-99: {RESULT}" in failed.output


def entry(name: str, metric: Estimate | None = None, **params: object) -> Experiment:
    return Experiment(name, params, {NAME: metric} if metric else {})


def test_runs_are_in_the_order_of_the_one_number_that_varies() -> None:
    runs = [entry("a", x=3, y=1), entry("b", x=1, y=1), entry("c", x=2.5, y=1)]
    parameter, ordered = in_order(runs)
    assert parameter == "x"
    assert [run.name for run in ordered] == ["b", "c", "a"]
    for others in ([entry("d", x="text", y=1)], [entry("d", x=0, y=2)], [entry("d", y=1)]):
        assert in_order(runs + others) == (None, runs + others)


def recipe(name: str, values: list[float], **params: object) -> Experiment:
    return Experiment(name, params, {NAME: mean(values)}, len(values))


def test_recipes_are_compared_by_welchs_test() -> None:
    """Where seeds are so few a normal law would see a loss and Student's does not."""
    base = recipe("base", [10.0, 11.0, 12.0], x=0)
    runs = [base, recipe("noise", [7.5, 9.0, 10.5], x=1), recipe("loss", [0.0, 1.0, 2.0], x=2)]
    (noise,), (loss,) = against_the_first(runs, [NAME])
    expected = ttest_ind([7.5, 9.0, 10.5], [10.0, 11.0, 12.0], equal_var=False)
    assert (noise.z, noise.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert noise.z < norm.ppf(0.05)
    assert noise.verdict == Verdict.NO_EVIDENCE
    assert loss.verdict == Verdict.WORSE
    assert loss.adjusted_p == pytest.approx(loss.p)  # one-sided, of two
    assert labels(runs) == ["x=0 (3 seeds)", "x=1 (3 seeds)", "x=2 (3 seeds)"]


def test_many_recipes_are_not_many_chances() -> None:
    """Of 200 recipes like the first none is worse; without the correction some would be."""
    random = np.random.default_rng(0)
    runs = [recipe(str(k), list(random.normal(0, 1, 5)), x=k) for k in range(200)]
    rows = [row for (row,) in against_the_first(runs, [NAME])]
    assert sum(row.p < 0.05 for row in rows) > 4
    assert {row.verdict for row in rows} == {Verdict.NO_EVIDENCE}


def test_what_seeds_do_not_change_has_no_error() -> None:
    """Such as a loss that is exact: it needs no test."""
    runs = [recipe("a", [3.0, 3.0], x=0), recipe("b", [2.0, 2.0], x=1)]
    ((row,),) = against_the_first(runs, [NAME])
    assert (row.verdict, row.p) == (Verdict.WORSE, None)


def test_single_runs_of_other_models_are_no_evidence() -> None:
    first, other = entry("a", Estimate(9.0, 1.0, 9), x=1), entry("b", Estimate(0.0, 1.0, 9), x=2)
    models = [{"training.nice.model_md5": name} for name in ("one", "other")]
    assert against_the_first([first, other], [NAME])[0][0].verdict == Verdict.WORSE
    first, other = (
        replace(run, metrics=run.metrics | model)
        for run, model in zip((first, other), models, strict=True)
    )
    assert against_the_first([first, other], [NAME])[0][0].verdict == Verdict.NO_EVIDENCE


def test_a_single_run_with_another_seed_is_never_worse() -> None:
    metrics = (Estimate(9.0, 1.0, 9), Estimate(0.0, 1.0, 9))
    runs = [entry(str(k), x, **{"train.nice.seed": k}) for k, x in enumerate(metrics)]
    assert against_the_first(runs, [NAME])[0][0].verdict == Verdict.NO_EVIDENCE


def test_intervals_of_few_runs_are_students() -> None:
    """Twelve standard errors for two runs, and near two for many; none for an exact number."""
    readings = [Estimate(1.0, 0.5, n) for n in (2, 3, 100_000)]
    runs = [entry("a", reading) for reading in (*readings, Estimate.exact(4.0), None)]
    values, half = intervals(runs, NAME)
    assert values == pytest.approx([1, 1, 1, 4, np.nan], nan_ok=True)
    assert half == pytest.approx([6.3531, 2.1513, 0.98, 0, np.nan], rel=1e-4, nan_ok=True)


def test_the_command_is_part_of_nicelab() -> None:
    (script,) = entry_points(group="console_scripts", name="nicelab")
    assert "DVC experiment" in CliRunner().invoke(script.load(), ["compare", "--help"]).output


def test_the_report_says_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    out = tmp_path / "page.html"
    result = CliRunner().invoke(report, ["--against", "HEAD", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "What changed since HEAD" in out.read_text()


def test_the_report_against_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    out = tmp_path / "page.html"
    result = CliRunner().invoke(report, ["--against", "no", "--out", str(out)])
    refused(result, "revision no cannot")
    assert not out.exists()
