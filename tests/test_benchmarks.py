"""The benchmarks that need nothing but the project itself run, and report on everything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from imports import ROOT
from nicelab.gradients.estimators import ESTIMATORS
from nicelab.pipeline.artifacts import write_metrics
from nicelab.report.contents import read_results
from nicelab.report.headlines.results import headlines, metrics

pytestmark = pytest.mark.slow


def run(script: str, *options: str) -> str:
    command = [sys.executable, ROOT / "benchmarks" / script, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gradients() -> None:
    printed = run("gradients.py", "--seeds=3", "--steps=2", "--turns=2")
    for name in ESTIMATORS:
        assert f"| nicelab, {name} |" in printed


def test_gate(tmp_path: Path) -> None:
    """Headlines that the gate tests are few enough: no change fails 5 %, a loss of 4 errors 90 %.

    To 3 standard errors of a share.
    """
    for study, content in metrics(headlines(read_results(ROOT / "results"))).items():
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
    assert "| the sheet's loop |" in printed
    assert "| nicelab |" in printed


def test_gambler() -> None:
    printed = run(
        "gambler.py", "--turns=2", "--loop-paths=1", f"--params={ROOT / 'demo/params.yaml'}"
    )
    for name in ("the sheet's loop", "the sheet's q", "Brownian h-transform", "defensive mixture"):
        assert f"| {name} |" in printed
    assert "Bernoulli rate" in printed
