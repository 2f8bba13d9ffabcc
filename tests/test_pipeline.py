"""The pipeline as DVC sees it: what is declared, what is run again, and the same bytes twice."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from conftest import run
from imports import FAMILIES, FIRST, ROOT, sections
from lock import stale_stages
from nicelab.pipeline.deps import FAMILIES as PACKAGES
from nicelab.pipeline.deps import REGISTRY, first_party, rewritten
from nicelab.pipeline.params import flatten, read_all

PARAMETERS = read_all(ROOT / "params.yaml")
INPAINTING = ("inpainting", "ascents", "completions", "errors", "posterior", "animation")
OF_FLOWS = ("grid", "training", "likelihood", "diagnostics", "samples", *INPAINTING)
SHOWN = ("headlines", "report")  # of every study
ALL = tuple(FAMILIES)


def figures(*studies: str) -> set[str]:
    return {f"figures@{study}" for study in studies}


def of(families: tuple[str, ...], *names: str) -> set[str]:
    """A stage of each family."""
    return {f"{name}@{family}" for name in names for family in families}


def scores(families: tuple[str, ...]) -> set[str]:
    return of(families, "inpaint") | figures(*INPAINTING) | {*SHOWN}


def after_train(families: tuple[str, ...]) -> set[str]:
    names = ("train", "evaluate", "diagnose", "sample", "ascend", "posterior")
    return scores(families) | of(families, *names) | figures(*OF_FLOWS)


AFTER_IMAGES = after_train(ALL) | {"mask", "classifier", "fill"}
GAMBLER = {
    "importance",
    *SHOWN,
    *figures("importance", "ladder", "paths", "weights", "coverage"),
}
# Stages that run again when a section changes: the stage, its figure, and what follows; of the
# sections with a part for each family, when the first one's changes.
AFFECTED = {
    "data": AFTER_IMAGES | {"download", "prepare"},
    "prepare": AFTER_IMAGES | {"prepare"},
    "model": after_train((FIRST,)),
    "train": after_train((FIRST,)),
    "evaluate": of(ALL, "evaluate") | figures("likelihood") | {*SHOWN},
    "diagnose": of(ALL, "diagnose") | figures("diagnostics") | {*SHOWN},
    "sample": of(ALL, "sample") | figures("grid", "samples") | {*SHOWN},
    "mask": scores(ALL) | of(ALL, "ascend", "posterior") | {"mask", "fill"},
    "classifier": scores(ALL) | {"classifier"},
    "fill": scores(ALL) | of(ALL, "ascend") | {"fill"},
    "ascend": scores(ALL) | of(ALL, "ascend"),
    "posterior": scores(ALL) | of(ALL, "posterior"),
    "convolution": {"convolution", *figures("convolution"), *SHOWN},
    "importance": GAMBLER,
    "tandem": {"tandem", *figures("tandem"), *SHOWN},
    "gradients": {"gradients", *figures("gradients", "estimators", "descents"), *SHOWN},
    "dimensions": {"dimensions", *figures("dimensions"), *SHOWN},
    "discrete": {"discrete", *figures("discrete"), *SHOWN},
}


@cache
def stages() -> dict[str, Any]:
    """The stages of dvc.yaml, written out one by one."""
    yaml = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
    declared = {}
    for name, stage in yaml["stages"].items():
        if "foreach" not in stage:
            declared[name] = stage
        elif stage["foreach"] == "${families}":
            for family in FAMILIES:
                declared[f"{name}@{family}"] = fill(stage["do"], {"item": family})
        else:
            for key, item in stage["foreach"].items():
                names = {"key": key} | {f"item.{part}": x for part, x in item.items()}
                declared[f"{name}@{key}"] = fill(stage["do"], names)
    return declared


def fill(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"${{{name}}}", text)
        return value
    if isinstance(value, list):
        return [fill(v, names) for v in value]
    if isinstance(value, dict):
        return {fill(k, names): fill(v, names) for k, v in value.items()}
    return value


@cache
def needed(name: str) -> tuple[set[str], set[str]]:
    """Modules that a stage imports, and sections of the parameters that it reads."""
    base, _, part = name.partition("@")
    script = ROOT / "stages" / f"{base}.py"
    scripts = {script}
    if base == "figures":  # the script imports the module of the study that it is given
        scripts.add(ROOT / "src" / "nicelab" / "figures" / f"{part}.py")
    own = f"{PACKAGES}/{part}"
    if REGISTRY in first_party(ROOT, script):  # or of the family, on whose folder it depends
        scripts |= set((ROOT / own).glob("*.py"))
    modules = first_party(ROOT, *scripts) | {str(path.relative_to(ROOT)) for path in scripts}
    modules = {own if module.startswith(f"{own}/") else module for module in modules}
    return modules, set(PARAMETERS) if name == "report" else sections(script)


def undeclared(name: str, stage: dict[str, Any]) -> set[str]:
    """Modules and sections that a stage needs, but does not declare."""
    modules, read = needed(name)
    declared = {section.partition(".")[0] for section in stage.get("params", [])}
    return (modules - set(stage["deps"])) | (read - declared)


@pytest.mark.parametrize("name", stages())
def test_stages_declare_what_they_import_and_read(name: str) -> None:
    assert not undeclared(name, stages()[name])


def test_dvc_yaml_is_as_make_deps_writes_it() -> None:
    assert rewritten(ROOT) == (ROOT / "dvc.yaml").read_text()


def test_make_deps_adds_what_is_imported_and_drops_what_is_not(tmp_path: Path) -> None:
    for part in ("stages", "src"):
        shutil.copytree(ROOT / part, tmp_path / part)
    text = (ROOT / "dvc.yaml").read_text()
    script = "        - stages/train.py\n"
    for wrong in (
        text.replace("        - src/nicelab/flows/flow.py\n", ""),
        text.replace(script, f"{script}        - src/nicelab/published.py\n"),
    ):
        assert wrong != text
        (tmp_path / "dvc.yaml").write_text(wrong)
        assert rewritten(tmp_path) == text


@pytest.mark.parametrize("name", stages())
def test_a_removed_dep_or_param_is_noticed(name: str) -> None:
    stage = stages()[name]
    code = [dep for dep in stage["deps"] if dep.endswith(".py")]
    assert len(code) > 3
    for dep in code:
        without = {**stage, "deps": [d for d in stage["deps"] if d != dep]}
        if "@" in name and dep not in undeclared(name, without):
            continue  # declared for all figures or families, since some other needs it
        assert undeclared(name, without) == {dep}
    for section in stage.get("params", []):
        without = {**stage, "params": [p for p in stage["params"] if p != section]}
        assert undeclared(name, without) == {section.partition(".")[0]}


@pytest.mark.parametrize("name", stages())
def test_stages_name_each_path_that_they_read_or_write(name: str) -> None:
    stage = stages()[name]
    paths = [word for word in stage["cmd"].split() if "/" in word]
    outs = [
        next(iter(out)) if isinstance(out, dict) else out
        for kind in ("outs", "metrics", "plots")
        for out in stage.get(kind, [])
    ]
    assert set(paths) - set(stage["deps"]) == set(outs)
    assert all(name.partition("@")[2] in out for out in outs)
    assert stage["desc"].endswith(".")


def test_the_demo_has_the_same_parameters() -> None:
    real, demo = (flatten(read_all(ROOT / p)) for p in ("params.yaml", "demo/params.yaml"))
    assert real.keys() == demo.keys()
    assert demo["data.dataset"] == "digits"


def test_sections_are_in_the_stages_order() -> None:
    assert list(PARAMETERS) == ["families", *AFFECTED]


def test_package_files_that_run_at_import_are_empty() -> None:
    """But for those of families, which are imported by their names."""
    package = ROOT / "src" / "nicelab"
    files = {p for p in package.rglob("__init__.py") if p.parent.parent != ROOT / PACKAGES}
    assert all(path.read_text() == "" for path in files)


def change(root: Path, section: str) -> None:
    """Another value for one parameter of a section."""
    yaml = YAML(typ="safe", pure=True)
    parameters = yaml.load((root / "params.yaml").read_text())
    if section == "data":
        parameters["data"]["dataset"] = "mnist"
    elif section == "model":
        parameters["model"][FIRST]["hidden"] += 1
    else:
        names = ("seed", "steps", "radius", "images")
        values = parameters[section].get(FIRST, parameters[section])
        values[next(name for name in names if name in values)] += 1
    with (root / "params.yaml").open("w") as file:
        yaml.dump(parameters, file)


@contextmanager
def touched(module: Path) -> Iterator[None]:
    """A module with a line more."""
    before = module.read_text()
    module.write_text(before + "\n")
    try:
        yield
    finally:
        module.write_text(before)


def downstream(names: set[str]) -> set[str]:
    """The named stages and all that depend on what they write."""
    declared = stages()
    while True:
        outs = {
            next(iter(out)) if isinstance(out, dict) else out
            for name in names
            for kind in ("outs", "metrics", "plots")
            for out in declared[name].get(kind, [])
        }
        more = names | {
            name
            for name, stage in declared.items()
            if any(Path(out).is_relative_to(dep) for out in outs for dep in stage["deps"])
        }
        if more == names:
            return names
        names = more


@pytest.mark.pipeline
def test_a_second_run_runs_nothing(own: Path) -> None:
    assert "Running stage" not in run(own, "dvc", "repro")


@pytest.mark.pipeline
@pytest.mark.parametrize("section", AFFECTED)
def test_a_section_affects_its_stage_its_figure_and_the_report(own: Path, section: str) -> None:
    before = (own / "params.yaml").read_text()
    change(own, section)
    try:
        stale = set(stale_stages(own))
    finally:
        (own / "params.yaml").write_text(before)
    assert stale
    assert downstream(stale) == AFFECTED[section]


@pytest.mark.pipeline
def test_check_tells_what_would_run(own: Path) -> None:
    assert "0 of " in run(own, "nicelab", "check")
    before = (own / "params.yaml").read_text()
    change(own, "importance")
    try:
        told = run(own, "nicelab", "check")
    finally:
        (own / "params.yaml").write_text(before)
    listed = {line.strip() for line in told.splitlines() if line.startswith("    ")}
    assert listed == GAMBLER
    would = rf"{len(GAMBLER)} of {len(stages())} would run: \d min by their last times here"
    assert re.search(would, told)
    model = own / "model" / f"{FIRST}.safetensors"
    model.rename(own / "gone")
    try:
        told = run(own, "nicelab", "check")
    finally:
        (own / "gone").rename(model)
    assert {line.strip() for line in told.splitlines()} >= after_train((FIRST,))


@pytest.mark.pipeline
def test_importance_runs_again_alone(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(finished, root, symlinks=True)
    change(root, "importance")
    lines = run(root, "dvc", "repro").splitlines()
    ran = {line.split("'")[1] for line in lines if line.startswith("Running stage")}
    assert ran == GAMBLER


@pytest.mark.pipeline
def test_two_runs_at_once(own: Path) -> None:
    """DVC lets one of them write a stage's outputs at a time; the other waits or says who does."""
    path = own / "arrays" / "problems.npz"
    before = path.read_bytes()
    words = ["dvc", "repro", "--single-item", "--force", "mask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(own / "src")}
    both = [subprocess.Popen(words, cwd=own, env=environment, **quiet) for _ in range(2)]
    told = [one.communicate()[1] for one in both]
    refused = [any(x in text for x in ("is busy", "Unable to acquire lock")) for text in told]
    assert [one.returncode != 0 for one in both] == refused, told
    assert not all(refused)
    assert path.read_bytes() == before
    assert not stale_stages(own)
    assert not list(own.rglob("*.part"))


@pytest.mark.pipeline
def test_stale_code_is_noticed(own: Path) -> None:
    module = own / "src" / "nicelab" / "importance" / "gambler.py"
    with touched(module):
        assert stale_stages(own) == ["importance"]
    assert stale_stages(own) == []


@pytest.mark.pipeline
def test_editing_one_family_trains_no_other(own: Path) -> None:
    folder = own / PACKAGES
    other = folder / "other" / "__init__.py"
    shutil.copytree(folder / FIRST, other.parent)
    assert stale_stages(own) == []
    with touched(other):
        assert stale_stages(own) == []
    shutil.rmtree(other.parent)
    for family in FAMILIES:
        with touched(folder / family / "__init__.py"):
            stale = [name for name in stale_stages(own) if name.startswith("train@")]
        assert stale == [f"train@{family}"]


@pytest.mark.pipeline
def test_a_family_is_added_by_a_package_and_its_parameters(clone: Callable[[str], Path]) -> None:
    root = clone("third")
    package = root / PACKAGES / "affine" / "__init__.py"
    package.parent.mkdir()
    shutil.copy(ROOT / "tests" / "affine.py", package)
    parameters = read_all(root / "params.yaml")
    parameters["families"].append("affine")
    parameters["model"]["affine"] = {}
    parameters["train"]["affine"] = {**parameters["train"][FIRST], "epochs": 1}
    with (root / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(parameters, file)
    run(root, "dvc", "repro", "train@affine", "evaluate@affine")
    found = json.loads((root / "results" / "likelihood" / "affine.json").read_text())
    assert found["flow"] == "Affine"
    assert "over_seeds" not in found
    assert "figures/likelihood.png" in run(root, "dvc", "dag", "--outs", "figures@likelihood")
    assert "affine" in run(root, "dvc", "dag", "--outs", "figures@likelihood")


@pytest.mark.pipeline
def test_editing_how_a_flow_is_trained_measures_nothing_again(own: Path) -> None:
    """What follows runs again only if the model changes."""
    module = own / "src" / "nicelab" / "likelihood" / "training.py"
    with touched(module):
        assert stale_stages(own) == [f"train@{family}" for family in FAMILIES]


@pytest.mark.pipeline
def test_stale_code_is_noticed_without_data(clone: Callable[[str], Path]) -> None:
    root = clone("without_data")
    for name in ("params.yaml", "dvc.lock"):
        shutil.copy(ROOT / name, root / name)
    module = root / PACKAGES / FIRST / "__init__.py"
    module.write_text(module.read_text() + "\n")
    assert f"train@{FIRST}" in stale_stages(root)


@pytest.mark.pipeline
def test_a_broken_pipeline_is_no_clean_bill(clone: Callable[[str], Path]) -> None:
    root = clone("broken")
    (root / "dvc.yaml").write_text("stages: 3")
    with pytest.raises(RuntimeError, match="dvc repro --dry --allow-missing dvc.yaml failed"):
        stale_stages(root)


@pytest.mark.pipeline
def test_metrics_are_shown_and_compared(finished: Path) -> None:
    shown = run(finished, "dvc", "metrics", "show")
    assert "nice.test_log_likelihood.value" in shown
    assert "scikit-learn digits" in (finished / "report" / "report.html").read_text()


def test_the_committed_results_have_their_names() -> None:
    """Fixed, so that they can be compared across commits."""
    files = [*(ROOT / "results").glob("*.json"), *(ROOT / "results").glob(f"*/{FIRST}.json")]
    names = {
        path.parent.name if path.stem == FIRST else path.stem: flatten(
            json.loads(path.read_text())
        )
        for path in files
    }
    estimate = ("value", "standard_error", "n")
    expected = {
        "likelihood": ["test.log_likelihood", "test.bits_per_dim", "validation.log_likelihood"],
        "importance": [
            "exact.probability",
            "methods.sheet.probability",
            "methods.sheet.relative_error",
        ],
        "gradients": [
            f"exact.minima.{k}.{v}" for k in ("global", "local") for v in ("mu", "sigma", "loss")
        ]
        + [
            f"sgd.{k}.{v}"
            for v in ("mu", "sigma")
            for k in ("score_as_printed", "score", "pathwise_as_printed", "pathwise")
        ],
        "convolution": [
            f"{k}.largest_absolute_error"
            for k in ("determinant", "reshape", "convolution", "coupling")
        ],
        "inpainting": [f"methods.{k}.squared_error" for k in ("as_printed", "gradient_zeroed")],
    }
    for study, metrics in expected.items():
        wanted = {f"{metric}.{part}" for metric in metrics for part in estimate}
        assert wanted <= names[study].keys()
    assert "methods.sheet.plays" in names["importance"]
    assert names["data"]["dataset"] == "MNIST"
