"""The pipeline as DVC sees it: what is declared, what is run again, and the same bytes twice."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from conftest import run
from imports import ROOT, sections
from lock import stale_stages
from nicelab.pipeline.deps import FAMILIES, REGISTRY, first_party, rewritten
from nicelab.pipeline.params import flatten, read_all

INPAINTING = ("inpainting", "ascents", "completions", "errors", "posterior", "animation")
STUDIES = (
    "training",
    "likelihood",
    "diagnostics",
    "samples",
    *INPAINTING,
    "convolution",
    "importance",
    "ladder",
    "paths",
    "weights",
    "coverage",
    "gradients",
    "estimators",
)
SHOWN = ("headlines", "report")  # of every study
# Stages that run again when a section changes: the stage, its figure, and what follows.
SCORES = {"inpaint", *SHOWN, *(f"figures@{study}" for study in INPAINTING)}
AFTER_MODEL = SCORES | {
    "evaluate",
    "diagnose",
    "sample",
    "ascend",
    "posterior",
    "figures@likelihood",
    "figures@diagnostics",
    "figures@samples",
}
AFTER_TRAIN = AFTER_MODEL | {"train", "figures@training"}
AFTER_IMAGES = AFTER_TRAIN | {"mask", "classifier", "fill"}
GAMBLER = {
    "importance",
    *SHOWN,
    *(f"figures@{study}" for study in ("importance", "ladder", "paths", "weights", "coverage")),
}
AFFECTED = {
    "data": AFTER_IMAGES | {"download", "prepare"},
    "prepare": AFTER_IMAGES | {"prepare"},
    "model": AFTER_TRAIN,
    "train": AFTER_TRAIN,
    "evaluate": {"evaluate", "figures@likelihood", *SHOWN},
    "diagnose": {"diagnose", "figures@diagnostics", *SHOWN},
    "sample": {"sample", "figures@samples", *SHOWN},
    "mask": SCORES | {"mask", "fill", "ascend", "posterior"},
    "classifier": SCORES | {"classifier"},
    "fill": SCORES | {"fill", "ascend"},
    "ascend": SCORES | {"ascend"},
    "posterior": SCORES | {"posterior"},
    "convolution": {"convolution", "figures@convolution", *SHOWN},
    "importance": GAMBLER,
    "gradients": {"gradients", "figures@gradients", "figures@estimators", *SHOWN},
}


FAMILY = read_all(ROOT / "params.yaml")["model"]["family"]


def stages(text: str | None = None) -> dict[str, Any]:
    """The stages of dvc.yaml, with the figures written out one by one."""
    text = (text or (ROOT / "dvc.yaml").read_text()).replace("${model.family}", FAMILY)
    yaml = YAML(typ="safe", pure=True).load(text)
    declared = dict(yaml["stages"])
    template = declared.pop("figures")
    for key, item in template["foreach"].items():
        declared[f"figures@{key}"] = fill(template["do"], key, item)
    return declared


def fill(value: Any, key: str, item: dict[str, str]) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        for name, path in item.items():
            value = value.replace(f"${{item.{name}}}", path)
        return value.replace("${key}", key)
    if isinstance(value, list):
        return [fill(v, key, item) for v in value]
    if isinstance(value, dict):
        return {fill(k, key, item): fill(v, key, item) for k, v in value.items()}
    return value


def undeclared(name: str, stage: dict[str, Any]) -> set[str]:
    """Modules that a stage imports and parameters that it reads, but does not declare."""
    script = ROOT / "stages" / f"{name.split('@')[0]}.py"
    needed = {script}
    if "@" in name:  # the script imports the module of the study that it is given
        needed.add(ROOT / "src" / "nicelab" / "figures" / f"{name.split('@')[1]}.py")
    if REGISTRY in first_party(ROOT, script):
        needed.add(ROOT / FAMILIES / f"{FAMILY}.py")
    modules = first_party(ROOT, *needed) | {str(path.relative_to(ROOT)) for path in needed}
    read = set(read_all(ROOT / "params.yaml")) if name == "report" else sections(script)
    return (modules - set(stage["deps"])) | (read - set(stage.get("params", [])))


@pytest.mark.parametrize("name", stages())
def test_stages_declare_what_they_import_and_read(name: str) -> None:
    assert not undeclared(name, stages()[name])


def test_dvc_yaml_is_as_make_deps_writes_it() -> None:
    assert rewritten(ROOT) == (ROOT / "dvc.yaml").read_text()


def test_make_deps_adds_what_is_imported_and_drops_what_is_not(tmp_path: Path) -> None:
    for part in ("stages", "src"):
        shutil.copytree(ROOT / part, tmp_path / part)
    text = (ROOT / "dvc.yaml").read_text()
    extra = "      - stages/train.py\n      - src/nicelab/published.py\n"
    for wrong in (
        text.replace("      - src/nicelab/flows/coupling.py\n", ""),
        text.replace("      - stages/train.py\n", extra),
    ):
        assert wrong != text
        (tmp_path / "dvc.yaml").write_text(wrong)
        assert rewritten(tmp_path) == text


@pytest.mark.slow
@pytest.mark.parametrize("name", stages())
def test_a_removed_dep_or_param_is_noticed(name: str) -> None:
    stage = stages()[name]
    code = [dep for dep in stage["deps"] if dep.endswith(".py")]
    assert len(code) > 3
    for dep in code:
        without = {**stage, "deps": [d for d in stage["deps"] if d != dep]}
        if "@" in name and dep not in undeclared(name, without):
            continue  # declared for all figures at once, since some other needs it
        assert undeclared(name, without) == {dep}
    for section in stage.get("params", []):
        without = {**stage, "params": [p for p in stage["params"] if p != section]}
        assert undeclared(name, without) == {section}


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
    assert stage["desc"].endswith(".")


def test_the_demo_has_the_same_parameters() -> None:
    real, demo = (flatten(read_all(ROOT / p)) for p in ("params.yaml", "demo/params.yaml"))
    assert real.keys() == demo.keys()
    assert demo["data.dataset"] == "digits"


def test_sections_are_in_the_stages_order() -> None:
    assert list(read_all(ROOT / "params.yaml")) == list(AFFECTED)


def test_package_files_that_run_at_import_are_empty() -> None:
    assert all(p.read_text() == "" for p in (ROOT / "src" / "nicelab").rglob("__init__.py"))


def change(root: Path, section: str) -> None:
    """Another value for one parameter of a section."""
    yaml = YAML(typ="safe", pure=True)
    parameters = yaml.load((root / "params.yaml").read_text())
    if section == "data":
        parameters["data"]["dataset"] = "mnist"
    elif section == "model":
        parameters["model"]["hidden"] += 1
    else:
        names = ("seed", "steps", "radius", "images")
        parameters[section][next(name for name in names if name in parameters[section])] += 1
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
        more = names | {n for n, s in declared.items() if outs & set(s["deps"])}
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
def test_importance_runs_again_alone(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(finished, root, symlinks=True)
    change(root, "importance")
    lines = run(root, "dvc", "repro").splitlines()
    ran = {line.split("'")[1] for line in lines if line.startswith("Running stage")}
    assert ran == GAMBLER


@pytest.mark.pipeline
def test_stale_code_is_noticed(own: Path) -> None:
    module = own / "src" / "nicelab" / "importance" / "gambler.py"
    with touched(module):
        assert stale_stages(own) == ["importance"]
    assert stale_stages(own) == []


@pytest.mark.pipeline
def test_editing_one_family_trains_no_other(own: Path) -> None:
    folder = own / FAMILIES
    other, chosen = folder / "other.py", folder / f"{FAMILY}.py"
    other.write_text(chosen.read_text())
    assert stale_stages(own) == []
    other.write_text(chosen.read_text() + "\n")
    assert stale_stages(own) == []
    other.unlink()
    with touched(chosen):
        assert "train" in stale_stages(own)


@pytest.mark.pipeline
def test_editing_how_a_flow_is_trained_measures_nothing_again(own: Path) -> None:
    """What follows runs again only if the model changes."""
    module = own / "src" / "nicelab" / "likelihood" / "training.py"
    with touched(module):
        assert stale_stages(own) == ["train"]


@pytest.mark.pipeline
def test_stale_code_is_noticed_without_data(clone: Callable[[str], Path]) -> None:
    root = clone("without_data")
    shutil.copy(ROOT / "params.yaml", root / "params.yaml")
    module = root / "src" / "nicelab" / "flows" / "coupling.py"
    module.write_text(module.read_text() + "\n")
    assert "train" in stale_stages(root)


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
    files = (ROOT / "results").glob("*.json")
    names = {path.stem: flatten(json.loads(path.read_text())) for path in files}
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
