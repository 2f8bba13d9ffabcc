"""Bad input, stage by stage: one line, a non-zero exit, nothing written, no traceback."""

import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner, Result

from imports import ROOT
from nicelab.flows import checkpoint
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.images.shapes import MNIST
from nicelab.pipeline.artifacts import write_arrays, write_record, write_weights
from small import image_set

STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py"))
TINY = Architecture(family="nice", couplings=2, hidden=4, depth=1)
OUTPUTS = {
    "download": ("--folder",),
    "prepare": ("--images", "--metrics"),
    "train": ("--model", "--curve", "--metrics"),
    "mask": ("--arrays",),
    "classifier": ("--model", "--metrics"),
    "fill": ("--arrays",),
    "ascend": ("--arrays",),
    "posterior": ("--arrays",),
    "importance": ("--arrays", "--ladder", "--metrics"),
    "replicate": ("--metrics",),
    "ablate": ("--metrics",),
    "figures": ("--figure",),
    "headlines": ("--metrics",),
    "report": ("--report", "--markdown"),
}
STUDY = ("--arrays", "--metrics")
RUNGS = str(ROOT / "ablation" / "params.yaml")
DEFAULTS = {
    "prepare": ["raw", "own"],
    "train": ["nice", "images.npz"],
    "evaluate": ["images.npz", "model.safetensors", "training.json", "replicates"],
    "diagnose": ["images.npz", "model.safetensors"],
    "sample": ["images.npz", "model.safetensors"],
    "mask": ["images.npz", str(ROOT / "masks")],
    "classifier": ["images.npz"],
    "fill": ["images.npz", "problems.npz"],
    "ascend": ["problems.npz", "fills.npz", "model.safetensors"],
    "posterior": ["images.npz", "problems.npz", "model.safetensors"],
    "inpaint": [
        "problems.npz",
        "model.safetensors",
        "judge.safetensors",
        "fills.npz",
        "ascents.npz",
        "posterior.npz",
    ],
    "replicate": ["nice", "images.npz", "--seed", "1"],
    "ablate": ["glow", "complete", "images.npz", "--ablation", RUNGS, "--seed", "1"],
    "ablation": ["trainings.json"],
    "headlines": ["results"],
    "report": ["results", "figures", "stages"],
}


def command(stage: str) -> click.Command:
    spec = spec_from_file_location(stage, ROOT / "stages" / f"{stage}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's parameters, a few images and a tiny model."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copy(ROOT / "demo" / "params.yaml", folder)
    rng = np.random.default_rng(0)
    data = image_set(rng.integers(0, 256, (60, 784), np.uint8), labels=rng.integers(0, 10, 60))
    write_record(folder / "images.npz", data)
    model = NICE(784, TINY)
    model.standardise(torch.zeros(784), torch.ones(784), torch.Generator().manual_seed(0)).finish()
    checkpoint.save(folder / "model.safetensors", model, TINY, MNIST, "noise")
    grey = data.test_pixels[:3].astype(np.float32) / 255
    hidden = np.zeros((2, 3, 784), bool)
    hidden[0, :, :400], hidden[1, :, ::2] = True, True
    set_parameter("ascend.images", 3, folder)
    (folder / "training.json").write_text('{"seed": 0, "recipe_md5": "one"}')
    write_arrays(
        folder / "problems.npz",
        dataset="noise",
        shape=np.array(MNIST),
        images=grey,
        hidden=hidden,
        names=np.array(["sheet_box", "even"]),
        mask_labels=np.array(["the box", "even"]),
        picture=np.array(1),
        labels=data.test_labels[:3],
    )
    write_arrays(folder / "fills.npz", gaussian=np.full((2, 3, 784), 0.5, np.float32))
    return folder


@pytest.fixture
def work(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the current folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def set_parameter(name: str, value: Any, folder: Path = Path()) -> None:  # noqa: ANN401
    path = folder / "params.yaml"
    sections = yaml.load(path.read_text(), yaml.CSafeLoader)
    *parents, last = name.split(".")
    place = sections
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    path.write_text(yaml.dump(sections, Dumper=yaml.CSafeDumper))


def invoke(stage: str, *arguments: str, **variables: str) -> Result:
    given = list(arguments) or DEFAULTS.get(stage, []).copy()
    for option in OUTPUTS.get(stage, STUDY):
        if option not in given:
            given += [option, f"out/{option.strip('-')}"]
    return CliRunner().invoke(command(stage), given, env=variables)


def refused(result: Result, message: str) -> None:
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    (line,) = [line for line in result.output.splitlines() if not line.startswith("epoch ")]
    assert line.startswith("Error: ")
    assert message in line
    out = Path("out")
    assert not (out.is_dir() and list(out.iterdir()))


@pytest.mark.parametrize(
    ("stage", "name", "value", "message"),
    [
        (
            "download",
            "data.dataset",
            "cifar",
            "data.dataset must be 'mnist', 'fashion_mnist'",
        ),
        ("download", "data", None, "section data is missing"),
        ("download", "data.datset", "mnist", "data.datset is unknown; did you mean dataset?"),
        ("prepare", "prepare.validation", -1, "prepare.validation must be >= 2, got -1"),
        ("prepare", "prepare.validation", 5000, "prepare.validation must be <= 1498"),
        ("prepare", "prepare.seed", -3, "prepare.seed must be >= 0, got -3"),
        ("prepare", "prepare.seed", "zero", "prepare.seed must be a valid integer, got 'zero'"),
        ("train", "model.nice.couplings", 0, "model.nice.couplings must be >= 1, got 0"),
        ("train", "model.nice.hidden", 2.5, "model.nice.hidden must be a valid integer"),
        ("train", "model.nice.depth", None, "model.nice.depth is missing"),
        ("train", "model.nice.family", "x", "model.nice.family must be 'nice', got 'x'"),
        ("train", "model.nice", None, "section model.nice is missing"),
        ("train", "model", 3, "section model.nice is missing"),
        ("train", "train.nice", None, "section train.nice is missing"),
        ("headlines", "families", None, "section families is missing"),
        ("headlines", "families", [], "families: List should have at least 1 item"),
        ("headlines", "families", "nice", "families must be a valid list, got 'nice'"),
        ("headlines", "families", ["nice", "nice"], "families: must be different families"),
        ("headlines", "families", ["real_nvp"], "families.0: must be one of "),
        ("report", "families", [3], "families.0 must be a valid string, got 3"),
        ("train", "train.nice.epochs", 0, "train.nice.epochs must be >= 1, got 0"),
        (
            "train",
            "train.nice.batch",
            61,
            "train.batch must be <= the 60 training images, got 61",
        ),
        ("train", "train.nice.learning_rate", float("nan"), "must be a finite number, got nan"),
        ("train", "train.nice.learning_rate", float("inf"), "must be a finite number, got inf"),
        (
            "train",
            "train.nice.learning_rate",
            -0.1,
            "train.nice.learning_rate must be > 0, got -0.1",
        ),
        (
            "train",
            "train.nice.learning_rate",
            "fast",
            "train.nice.learning_rate must be a valid number",
        ),
        ("train", "train.nice.schedule", "step", "'constant', 'linear' or 'cosine', got 'step'"),
        ("train", "train.nice.precision", "float16", "must be 'auto', 'float32' or 'bfloat16'"),
        ("train", "train.nice.clip", 0, "train.nice.clip must be > 0, got 0"),
        ("train", "train.nice.weight_decay", -1, "train.nice.weight_decay must be >= 0, got -1"),
        ("train", "train.nice.epoch", 3, "train.nice.epoch is unknown; did you mean epochs?"),
        ("evaluate", "evaluate.draws", 1, "evaluate.draws must be >= 2, got 1"),
        ("evaluate", "evaluate", [1], "evaluate must be a valid dictionary"),
        ("sample", "sample.samples", 10, "samples must be >= 64 to fill a grid of 8 × 8, got 10"),
        ("sample", "sample.temperatures", [0], "sample.temperatures.0 must be > 0, got 0"),
        ("sample", "sample.temperatures", 1.0, "sample.temperatures must be a valid list, got 1"),
        ("diagnose", "diagnose.images", 1, "diagnose.images must be >= 2, got 1"),
        ("sample", "sample.grid", 0, "sample.grid must be >= 1, got 0"),
        ("sample", "sample.steps", 1, "sample.steps must be >= 2, got 1"),
        ("sample", "sample.pairs", 31, "sample.pairs must be <= 30"),
        ("mask", "mask.images", 61, "mask.images must be <= the 60 test images, got 61"),
        ("mask", "mask.picture", 8, "mask: picture must be < images (8), got 8"),
        ("mask", "mask.masks", {}, "mask.masks: Dictionary should have at least 1"),
        (
            "mask",
            "mask.masks.top_half",
            {"label": "x", "half": "upper"},
            "mask.masks.top_half.half must be",
        ),
        (
            "mask",
            "mask.masks.top_half",
            {"label": "x"},
            "must have exactly one of box, rows, columns, half",
        ),
        ("mask", "mask.masks.sheet_box.box.rows", [11, 5], "else no pixel is hidden, got [11, 5]"),
        (
            "mask",
            "mask.masks.middle_rows",
            {"label": "x", "rows": [5, 28]},
            "rows.1 must be < 28, got 28",
        ),
        (
            "mask",
            "mask.masks.middle_rows",
            {"label": "x", "rows": [0, 27]},
            "middle_rows hides every pixel",
        ),
        (
            "mask",
            "mask.masks.scratch",
            {"label": "x", "file": "gone.png"},
            "gone.png: No such file",
        ),
        (
            "mask",
            "mask.masks.random_90",
            {"label": "x", "random": {"share": 2, "seed": 0}},
            "share must be < 1",
        ),
        ("mask", "mask.masks.top_half.label", None, "mask.masks.top_half.label is missing"),
        ("mask", "mask.masks.top_half", 3, "mask.masks.top_half: must be such as {label: top"),
        ("classifier", "classifier.epochs", 0, "classifier.epochs must be >= 1, got 0"),
        ("fill", "fill.radius", 0, "fill.radius must be >= 1, got 0"),
        ("ascend", "ascend.steps", 0, "ascend.steps must be >= 1, got 0"),
        ("ascend", "ascend.tolerance", 0, "ascend.tolerance must be > 0, got 0"),
        ("ascend", "ascend.step_size.grey", 3, "ascend.step_size.grey must be <= 1, got 3"),
        ("ascend", "ascend.sheet.fill", 1.5, "ascend.sheet.fill must be <= 1, got 1.5"),
        ("ascend", "ascend.sheet.mask", "box", "must be one of sheet_box, even, got box"),
        ("ascend", "ascend.published", 4, "ascend.published must be <= ascend.images (3), got 4"),
        ("posterior", "posterior.chains", 1, "posterior.chains must be >= 2, got 1"),
        ("ascend", "ascend.images", 4, "ascend.images must be > mask.picture"),
        ("posterior", "posterior.long.draws", 3, "posterior.long.draws must be >= 4, got 3"),
        ("posterior", "posterior.long.images", 4, "posterior.long.images must be <= the 3 images"),
        ("posterior", "posterior.step_size", None, "posterior.step_size is missing"),
        ("convolution", "convolution.channels", 0, "convolution.channels must be >= 1, got 0"),
        ("convolution", "convolution.cases", "all", "convolution.cases must be a valid integer"),
        ("importance", "importance.paths", -5, "importance.paths must be >= 2, got -5"),
        ("importance", "importance.q", 1.0, "importance.q must be < 1, got 1.0"),
        ("importance", "importance.p", "18/0", "importance.p must be a valid number"),
        (
            "importance",
            "importance.p",
            0.0,
            "importance: the target is reached with probability 0, exactly",
        ),
        (
            "importance",
            "importance.p",
            1.0,
            "importance: the target is reached with probability 1, exactly",
        ),
        ("importance", "importance.defensive", 0.0, "importance.defensive must be > 0, got 0.0"),
        ("importance", "importance.splitting.levels", 0, "splitting.levels must be >= 1, got 0"),
        ("importance", "importance.splitting.groups", 1, "splitting.groups must be >= 2, got 1"),
        ("importance", "importance.coverage.played", 1, "coverage.played must be >= 20, got 1"),
        ("importance", "importance.start", 200, "probability 1, exactly"),
        ("importance", "importance.plays", 50, "got start 100, target 200, plays 50"),
        ("importance", "importance.q", 0.4, "paths reached 200: raise importance.q"),
        ("importance", "importance.coverage.replicates", 10, "replicates must be >= 1000, got 10"),
        ("importance", "importance.cross_entropy.paths", 5, "paths must be >= 100, got 5"),
        ("importance", "importance.cross_entropy", None, "importance.cross_entropy is missing"),
        ("gradients", "gradients.start.sigma", 0, "gradients.start.sigma must be > 0, got 0"),
        ("gradients", "gradients.seeds", 1, "gradients.seeds must be >= 2, got 1"),
        ("gradients", "gradients.elbo.x", [], "gradients.elbo.x: List should have at least 1"),
        ("gradients", "gradients.elbo.mean", [1.0], "must be of one length"),
        ("gradients", "gradients.batch", 10, "batch must be powers of 2, as Sobol' noise needs"),
        ("gradients", "gradients.points", [], "gradients.points: List should have at least 1"),
        ("tandem", "tandem.sizes", [20, 10], "tandem: sizes must increase, got [20, 10]"),
        ("tandem", "tandem.sizes", [10], "tandem.sizes: List should have at least 2"),
        ("tandem", "tandem.sizes", [10, 5000], "tandem.sizes.1 must be <= 1000, got 5000"),
        ("tandem", "tandem.mollifier", 10.0, "mollifier must be < the smallest size (10), got 10"),
        ("tandem", "tandem.regimes.bounded.first", 0.8, "first + second must be 1, got 1.1"),
        ("tandem", "tandem.simulated", 3, "simulated must be >= the smallest size (10), got 3"),
        ("tandem", "tandem.splitting.groups", 1, "splitting.groups must be >= 2, got 1"),
        ("gradients", "gradients.map.sigma", [0, 3], "gradients.map.sigma.0 must be > 0, got 0"),
        ("gradients", "gradients.long_run.steps", 0, "gradients.long_run.steps must be >= 1"),
        (
            "discrete",
            "discrete.bits.logits",
            [],
            "discrete.bits.logits: List should have at least",
        ),
        ("discrete", "discrete.latent.codes", 11, "discrete.latent.codes must be <= 10, got 11"),
        ("discrete", "discrete.temperatures", [0.0], "discrete.temperatures.0 must be > 0, got 0"),
        ("dimensions", "dimensions.sizes", [3, 1], "dimensions: sizes must increase, got [3, 1]"),
        ("dimensions", "dimensions.sizes", [1], "dimensions.sizes: List should have at least 2"),
        ("dimensions", "dimensions.batch", 1, "dimensions.batch must be >= 2, got 1"),
        ("dimensions", "dimensions.replicates", 5, "dimensions.replicates must be >= 20, got 5"),
        ("gradients", "gradients.batch", True, "gradients.batch must be a valid integer"),
    ],
)
@pytest.mark.usefixtures("work")
def test_bad_parameters(stage: str, name: str, value: Any, message: str) -> None:  # noqa: ANN401
    set_parameter(name, value)
    refused(invoke(stage), message)


@pytest.mark.parametrize("stage", [s for s in DEFAULTS if "images.npz" in DEFAULTS[s]])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "images.npz does not exist"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "is not a whole NumPy archive"),
        (lambda path: write_arrays(path, x=np.zeros(1)), "is not what is read here: x is missing"),
    ],
)
@pytest.mark.usefixtures("work")
def test_bad_images(stage: str, damage: Any, message: str) -> None:  # noqa: ANN401
    damage(Path("images.npz"))
    refused(invoke(stage), message)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("stage", [s for s in DEFAULTS if "model.safetensors" in DEFAULTS[s]])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "model.safetensors does not exist"),
        (lambda path: path.write_bytes(path.read_bytes()[:-8]), "is not a nicelab weights file"),
        (flip, "model.safetensors was altered"),
        (lambda path: write_weights(path, {}, {}), "does not fit its header"),
        (lambda path: path.write_bytes(b"\x80\x04N."), "is not a nicelab weights file"),
    ],
)
@pytest.mark.usefixtures("work")
def test_bad_models(stage: str, damage: Any, message: str) -> None:  # noqa: ANN401
    damage(Path("model.safetensors"))
    refused(invoke(stage), message)


@pytest.mark.parametrize(
    "stage", [s for s in STAGES if s not in ("figures", "inpaint", "headlines", "ablation")]
)
@pytest.mark.usefixtures("work")
def test_bad_parameter_files(stage: str) -> None:
    arguments = DEFAULTS.get(stage, [])
    Path("params.yaml").write_text("train: [1")
    refused(invoke(stage, *arguments, "--params", "params.yaml"), "params.yaml is not valid YAML")
    refused(invoke(stage, *arguments, "--params", "gone.yaml"), "cannot read the parameters")


@pytest.mark.parametrize(
    ("stage", "option"),
    [(stage, option) for stage in STAGES for option in OUTPUTS.get(stage, STUDY)],
)
@pytest.mark.usefixtures("work")
def test_unwritable_outputs(stage: str, option: str) -> None:
    """Each output in turn is below a file, so that it cannot be made."""
    Path("file").write_text("")
    if stage == "figures":
        arguments = ["training", *(str(ROOT / f"results/{x}") for x in ("curves", "training"))]
    elif stage == "report":
        arguments = [str(ROOT / name) for name in ("results", "figures", "stages")]
    else:
        arguments = DEFAULTS.get(stage, [])
    for where in ("file/out", ".", "/"):
        refused(invoke(stage, *arguments, option, where), f"cannot write {where}")


@pytest.mark.usefixtures("work")
def test_a_figure_of_all_flows_needs_a_folder() -> None:
    arguments = ["training", "curve.csv", "training.json", "--figure", "out.png"]
    refused(invoke("figures", *arguments), "training is of all flows: give a folder")


@pytest.mark.usefixtures("work")
def test_completions_that_are_not_whole() -> None:
    assert invoke("classifier", "images.npz", "--model", "judge.safetensors").exit_code == 0
    shutil.rmtree("out")
    refused(invoke("inpaint"), "ascents.npz does not exist")
    for name in ("ascents.npz", "posterior.npz"):
        write_arrays(Path(name), x=np.zeros(1))
    refused(invoke("inpaint"), "ascents.npz is not what is read here: x is missing or unknown")


@pytest.mark.usefixtures("work")
def test_divergence_keeps_no_model() -> None:
    set_parameter("train.nice.learning_rate", 1e3)
    refused(invoke("train"), "training diverged: ")


@pytest.mark.usefixtures("work")
def test_an_unknown_device() -> None:
    refused(
        invoke("train", "nice", "images.npz", "--device", "toaster"), "--device must be one that"
    )
    refused(invoke("train", NICELAB_DEVICE="cuda:99"), "--device must be one that")


@pytest.mark.usefixtures("work")
def test_raw_images_that_are_not_there() -> None:
    set_parameter("data.dataset", "mnist")
    refused(invoke("prepare"), "raw does not hold MNIST")


@pytest.mark.usefixtures("work")
def test_a_mirror_that_is_no_folder() -> None:
    set_parameter("data.dataset", "mnist")
    result = invoke("download", NICELAB_MNIST_MIRROR="/nowhere")
    refused(result, "must be a folder or an http(s) URL, got /nowhere")


@pytest.mark.usefixtures("work")
def test_metrics_and_arrays_that_are_not_there() -> None:
    refused(invoke("figures", "samples", "gone.npz", "gone.json"), "gone.npz does not exist")
    refused(invoke("headlines", "gone"), "gone/training/nice.json does not exist")
    refused(invoke("report", "gone", "gone", "gone"), "gone/training/nice.json does not exist")
    Path("found").mkdir()
    refused(invoke("figures", "samples", "found", "gone"), "found/nice.npz does not exist")


@pytest.mark.parametrize("stage", STAGES)
def test_help_says_what_the_stage_does(stage: str) -> None:
    result = CliRunner().invoke(command(stage), ["--help"])
    assert result.exit_code == 0
    assert command(stage).help
    assert "Where to write" in result.output


def test_a_person_sees_one_line_and_no_traceback(work: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "stages" / "importance.py",
            "--arrays",
            "a",
            "--ladder",
            "l",
            "--metrics",
            "m",
            "--params",
            "gone.yaml",
        ],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: cannot read the parameters")
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("work")
def test_good_input_is_accepted() -> None:
    for name in ("train.nice.epochs", "classifier.epochs", "ascend.steps", "posterior.steps"):
        set_parameter(name, 1)
    set_parameter("evaluate.draws", 2)
    set_parameter("ascend.images", 8)
    outputs = {
        "train": [],
        "evaluate": [],
        "replicate": [],
        "diagnose": [],
        "sample": [],
        "mask": ["--arrays", "problems.npz"],
        "classifier": ["--model", "judge.safetensors"],
        "fill": ["--arrays", "fills.npz"],
        "ascend": ["--arrays", "ascents.npz"],
        "posterior": ["--arrays", "posterior.npz"],
        "inpaint": [],
    }
    for stage, chosen in outputs.items():
        result = invoke(stage, *DEFAULTS[stage], *chosen)
        assert result.exit_code == 0, result.output
        assert Path(chosen[1] if chosen else "out/metrics").is_file()
