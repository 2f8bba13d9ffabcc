"""The benchmarks that need nothing but the project itself run, and report on everything."""

import ast
import re
from importlib import import_module
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from conftest import randomise, write_small_parameters
from imports import FAMILIES, ROOT
from nicelab.flows import checkpoint
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.gradients.budget import UNBIASED, reached
from nicelab.gradients.config import Gradients
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.images.shapes import MNIST, PIXELS
from nicelab.pipeline.artifacts import write_metrics, write_record
from nicelab.pipeline.params import load
from nicelab.report.contents import read_results
from nicelab.report.headlines.results import headlines, metrics
from small import image_set

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("threads")]


def start(script: str, *options: str | Path) -> Result:
    """How the command of a benchmark ends."""
    command = run_path(str(ROOT / "benchmarks" / script))["main"]
    return CliRunner().invoke(command, [str(x) for x in options], catch_exceptions=False)


def run(script: str, *options: str | Path) -> str:
    """What it prints."""
    done = start(script, *options)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    "script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem
)
def test_what_they_take_from_the_package_is_there(script: Path) -> None:
    """Also of those that need other code bases, which are not installed here."""
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("nicelab"):
            module = import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or import_module(f"{node.module}.{alias.name}")


def test_gradients() -> None:
    printed = run("gradients.py", "--seeds=3", "--steps=2", "--turns=2")
    for name in ESTIMATORS:
        assert f"| nicelab, {name} |" in printed
        assert f"\n| {name} |" in printed
    assert "\n| pathwise | 1 | 1 |\n" in printed


def test_descents(tmp_path: Path) -> None:
    write_small_parameters(params := tmp_path / "params.yaml")
    printed = run("descents.py", "--turns=2", "--steps=2", f"--params={params}")
    rows = [
        line.split(" | ") for line in printed.splitlines() if line.startswith(("| SGD", "| Adam"))
    ]
    assert [row[1] for row in rows] == 2 * list(UNBIASED)
    unit = next(row for row in rows if row[0] == "| SGD" and row[1] == "pathwise")
    assert unit[2] == "1"
    assert unit[3] == unit[4].removesuffix(" |")


def test_less_is_left_when_an_evaluation_takes_less() -> None:
    """The score function far from its floor, with a quarter of the evaluations, to 5 errors."""
    left = run_path(str(ROOT / "benchmarks" / "descents.py"))["left"]
    config = load(ROOT / "params.yaml", "gradients", Gradients)
    budget = config.budget.model_copy(update={"evaluations": 3200})
    config, home = config.model_copy(update={"budget": budget}), reached(config, "cpu")
    slow, fast = (left(config, ("sgd", "score"), home, times) for times in (4, 1))
    assert slow.value - fast.value > 5 * max(slow.standard_error, fast.standard_error)


def test_seconds_of_an_evaluation() -> None:
    """Measure-valued takes four a gradient: at a quarter of the gradients each takes as long."""
    seconds = run_path(str(ROOT / "benchmarks" / "gradients.py"))["seconds_an_evaluation"]
    rates = {"pathwise": np.array([8.0, 4.0]), "measure_valued": np.array([2.0, 0.5])}
    assert seconds("measure_valued", rates).tolist() == [1, 2]
    assert seconds("pathwise", rates).tolist() == [1, 1]


def test_gate(tmp_path: Path) -> None:
    """Headlines that the gate tests are few enough: no change fails 5 %, a loss of 4 errors 90 %.

    To 3 standard errors of a share.
    """
    for study, content in metrics(headlines(read_results(ROOT / "results", FAMILIES))).items():
        write_metrics(tmp_path / f"{study}.json", content)
    printed = run("gate.py", f"--metrics={tmp_path}")
    shares = {
        loss: share for loss, share, _ in re.findall(r"\| (\d) \| (.+) ± (.+) % \|", printed)
    }
    allowed = 3 * 100 * (0.05 * 0.95 / 1000) ** 0.5
    assert float(shares["0"]) <= 5 + allowed
    assert float(shares["4"]) >= 90 - allowed


def test_scaling() -> None:
    printed = run("scaling.py", "--batch=2", "--steps=6", "--device=cpu")
    assert printed.startswith("1 processes of ")
    assert "19158352 gradients" in printed


def test_inpainting() -> None:
    printed = run(
        "inpainting.py", "--images=2", "--masks=2", "--steps=1", "--turns=2", "--device=cpu"
    )
    for name in ("the sheet's loop", "nicelab, ascent, float32", "nicelab, chains, "):
        assert f"| {name}" in printed


def test_launching() -> None:
    """What needs no GPU and no compiler."""
    small = ("--batch=2", "--steps=1", "--turns=2", "--size=64", "--way=one by one")
    printed = run("launching.py", *small, "--device=cpu")
    assert "a product of 64 × 64 matrices runs at" in printed
    for name in ("the train stage", "its products", "one by one"):
        assert f"| {name} |" in printed


@pytest.mark.parametrize("off", [0.0, 200.0])
def test_agreement(off: float, random: torch.Generator, tmp_path: Path) -> None:
    """Float32 agrees with float64, and one whose scales are no numbers in it does not pass."""
    architecture = Architecture(family="nice", couplings=4, hidden=16, depth=2)
    model = NICE(PIXELS, architecture)
    randomise(model, random)
    with torch.no_grad():
        model.s[0] += off
    checkpoint.save(tmp_path / "model", model, architecture, MNIST, "none")
    levels = torch.randint(0, 256, (3, PIXELS), generator=random, dtype=torch.uint8)
    write_record(tmp_path / "images", image_set(levels.numpy()))
    done = start("agreement.py", tmp_path / "images", tmp_path / "model", "--device=cpu")
    assert done.exit_code == int(off != 0)
    for name in ("log-likelihood (nats)", "gradient", "step of ascent", "trajectory"):
        assert f"| {name} |" in done.stdout


def test_gambler(tmp_path: Path) -> None:
    write_small_parameters(tmp_path / "params.yaml")
    printed = run(
        "gambler.py", "--turns=2", "--loop-paths=1", f"--params={tmp_path / 'params.yaml'}"
    )
    for name in ("the sheet's loop", "the sheet's q", "Brownian h-transform", "defensive mixture"):
        assert f"| {name} |" in printed
    assert "Bernoulli rate" in printed


def test_determinant(tmp_path: Path) -> None:
    printed = run("determinant.py", "--turns=2", "--batch=1", "--picture", tmp_path / "cost.png")
    assert len(re.findall(r"^\| \d+ \|", printed, re.M)) == 10
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")
