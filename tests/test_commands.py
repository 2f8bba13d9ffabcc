import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from imports import ROOT
from nicelab.commands.main import COMMANDS, main
from nicelab.flows import checkpoint
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.images.shapes import MNIST
from nicelab.likelihood.evaluation import Evaluation, evaluate
from nicelab.streams import generator

TINY = Architecture(family="nice", couplings=2, hidden=4, depth=1)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NICE:
    """A tiny model in a file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    flow = NICE(784, TINY)
    flow.standardise(torch.full((784,), 0.5), torch.full((784,), 0.2), generator(0)).finish()
    checkpoint.save(Path("nice.safetensors"), flow, TINY, MNIST, "noise")
    return flow


def invoke(command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, "--model", "nice.safetensors", *arguments])


def refused(result: Result, message: str) -> None:
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert message in result.output


def picture(path: str, levels: np.ndarray) -> str:
    Image.fromarray(levels).save(path)
    return path


@pytest.mark.usefixtures("model")
def test_a_model_is_known_by_its_family() -> None:
    """Without a name it is the parameter file's first."""

    def sample(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["sample", "--count=1", "--out=s.png", *arguments])

    Path("model").mkdir()
    Path("nice.safetensors").rename("model/nice.safetensors")
    assert sample("--model", "nice").exit_code == 0
    refused(sample("--model", "ncie"), "ncie does not exist")
    assert sample().exit_code == 0  # by the package's own parameters
    Path("params.yaml").write_text("families: [glow]")
    refused(sample(), "glow.safetensors does not exist")
    Path("params.yaml").write_text("families: [nice]")
    assert sample().exit_code == 0


@pytest.mark.parametrize("suffix", ["png", "GIF", "bmp", "tiff", "webp"])
@pytest.mark.usefixtures("model")
def test_samples_are_a_picture(suffix: str) -> None:
    result = invoke("sample", "--count", "5", "--out", f"s.{suffix}")
    assert result.exit_code == 0, result.output
    with Image.open(f"s.{suffix}") as image:
        assert image.size == (3 * 30 + 2, 2 * 30 + 2)


def test_one_sample_is_the_models(model: NICE) -> None:
    assert invoke("sample", "--count=1", "--temperature=0.5", "--out=s.png").exit_code == 0
    levels = np.array(Image.open("s.png").convert("L"))
    with torch.no_grad():
        x = model.sample(1, generator(0, "samples"), 0.5).view(28, 28).clamp(0, 1)
    np.testing.assert_allclose(levels, 255 * x.numpy(), atol=0.51)
    assert invoke("log-prob", "s.png").exit_code == 0


def test_log_prob_agrees_with_the_evaluation(model: NICE) -> None:
    """Two estimates with noise of their own, within 4 standard errors of their difference."""
    levels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    result = invoke("log-prob", picture("a.png", levels), picture("b.bmp", levels))
    assert result.exit_code == 0, result.output
    header, a, b = (line.split("\t") for line in result.output.splitlines())
    assert header == ["image", "log_likelihood", "standard_error", "bits_per_dim"]
    assert a[0] == "a.png"
    assert a[1:] == b[1:]
    config = Evaluation(draws=100, seed=1)
    draws = evaluate(model, torch.from_numpy(levels).view(1, -1), config, "test")
    error = float(a[2]) * 2**0.5
    assert abs(float(a[1]) - float(draws.mean())) < 4 * error
    assert float(a[3]) == pytest.approx(8 - float(a[1]) / (784 * np.log(2)), abs=1e-4)


@pytest.mark.usefixtures("model")
def test_bad_pictures() -> None:
    refused(invoke("log-prob", "gone.png"), "cannot read gone.png: No such file")
    Path("text.png").write_text("no picture")
    refused(invoke("log-prob", "text.png"), "text.png is not a picture in a known format")
    wide = picture("wide.png", np.zeros((28, 30), np.uint8))
    refused(invoke("log-prob", wide), "wide.png must be 28 × 28 pixels, got 30 × 28")
    whole = Path(picture("cut.png", np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)))
    whole.write_bytes(whole.read_bytes()[:200])
    refused(invoke("log-prob", "cut.png"), "cannot read cut.png: image file is truncated")


@pytest.mark.usefixtures("model")
def test_bad_outputs_and_models() -> None:
    refused(invoke("sample", "--out", "s.txt"), "--out must end in .png, .gif")
    refused(invoke("sample", "--out", "nice.safetensors/s.png"), "cannot write nice.safetensors/")
    refused(invoke("sample", "--out", "s.png", "--model", "gone"), "gone does not exist")
    assert not Path("s.png").exists()


def complete(*arguments: str) -> Result:
    return invoke("inpaint", "--params", str(ROOT / "params.yaml"), *arguments)


@pytest.mark.parametrize("mask", ["top_half", "white.png"])
@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tiff", "webp"])
@pytest.mark.usefixtures("model")
def test_inpainting_keeps_what_is_seen(mask: str, suffix: str) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    picture("white.png", np.repeat(np.array([255, 0], np.uint8), 14)[:, None].repeat(28, 1))
    result = complete(
        picture("a.png", levels), "--mask", mask, "--steps=5", "--out", f"o.{suffix}"
    )
    assert result.exit_code == 0, result.output
    header, before, after = (line.split("\t") for line in result.output.splitlines())
    assert header == ["image", "log_likelihood", "standard_error", "bits_per_dim"]
    assert (before[0], after[0]) == ("a.png", f"o.{suffix}")
    assert float(after[1]) > float(before[1])
    assert invoke("log-prob", "a.png", f"o.{suffix}").output == result.output
    with Image.open(f"o.{suffix}") as image:
        found = np.array(image.convert("L"))
    np.testing.assert_array_equal(found[14:], levels[14:])
    assert (found[:14] != levels[:14]).mean() > 0.9


@pytest.mark.parametrize("start", ["grey", "gaussian"])
@pytest.mark.usefixtures("model")
def test_inpainting_finds_the_mode(start: str) -> None:
    """With couplings at the identity log p has its maximum at 0.5, whatever is observed."""
    levels = picture("a.png", np.full((28, 28), 40, np.uint8))
    result = complete(levels, "--mask", "left_half", "--start", start, "--out", "o.png")
    assert result.exit_code == 0, result.output
    found = np.array(Image.open("o.png"))
    assert (found[:, 14:] == 40).all()
    assert np.abs(found[:, :14] / 255 - 0.5).max() < 0.05


@pytest.mark.usefixtures("model")
def test_inpainting_reads_the_stages_section() -> None:
    levels = picture("a.png", np.full((28, 28), 40, np.uint8))
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    Path("p.yaml").write_text(text.replace("  steps: 150\n", "  steps: 0\n"), encoding="utf-8")
    fixed = ["inpaint", levels, "--mask", "left_half", "--out", "o.png", "--params", "p.yaml"]
    refused(invoke(*fixed), "ascend.steps must be >= 1, got 0 (p.yaml)")


@pytest.mark.parametrize("mask", ["top_half", "scratch"])
@pytest.mark.usefixtures("model")
def test_masks_are_known_outside_a_project(mask: str) -> None:
    levels = picture("a.png", np.full((28, 28), 40, np.uint8))
    result = invoke("inpaint", levels, "--mask", mask, "--steps=1", "--out", "o.png")
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("model")
def test_bad_inpainting() -> None:
    grey = picture("a.png", np.full((28, 28), 40, np.uint8))
    out = ["--out", "o.png"]
    refused(complete(grey, "--mask", "top", *out), "--mask must be a picture or one of sheet_box")
    refused(complete(grey, "--mask", "gone.png", *out), "cannot read gone.png: No such file")
    refused(complete(grey, "--mask", grey, *out), "a.png hides nothing: paint the pixels")
    white = picture("w.png", np.full((28, 28), 255, np.uint8))
    refused(complete(grey, "--mask", white, *out), "w.png hides every pixel: paint")
    small = picture("s.png", np.zeros((28, 14), np.uint8))
    refused(complete(grey, "--mask", small, *out), "s.png must be 28 × 28 pixels, got 14 × 28")
    refused(complete(small, "--mask", "top_half", *out), "s.png must be 28 × 28 pixels")
    Path("p.yaml").write_text(
        "mask: {images: 2, picture: 0, masks: {all: {label: all, rows: [0, 27]}}}",
        encoding="utf-8",
    )
    whole = invoke("inpaint", grey, "--mask", "all", *out, "--params", "p.yaml")
    refused(whole, "mask.masks.all hides every pixel: it must hide some")
    refused(complete(grey, "--mask", "top_half", "--out", "o.jpg"), "--out must end in .png")
    refused(
        invoke("inpaint", grey, "--mask", "top", *out, "--params", "no"), "cannot read the par"
    )
    assert not Path("o.png").exists()


def test_help_lists_every_command_and_imports_none() -> None:
    told = CliRunner().invoke(main, ["--help"]).output
    for name in COMMANDS:
        assert f"\n  {name} " in told
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0
    slow = "any(name in sys.modules for name in ('torch', 'dvc', 'numba'))"
    code = f"import sys, nicelab.commands.main; sys.exit({slow})"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("command", [["nicelab"], [sys.executable, "-m", "nicelab"]])
def test_the_version_is_that_of_the_package(command: list[str]) -> None:
    told = subprocess.run([*command, "--version"], capture_output=True, text=True).stdout
    assert told == f"nicelab, version {version('nicelab')}\n"


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["evaluate"])
    assert result.exit_code == 2
    assert "No such command 'evaluate'" in result.output
