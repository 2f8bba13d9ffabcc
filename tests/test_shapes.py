"""Images of another size, in colour or without classes go through all stages that see images."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from conftest import run, write_small_parameters
from imports import ROOT
from nicelab.images.records import ImageSet
from nicelab.likelihood.records import Samples
from nicelab.pipeline.artifacts import read_metrics, read_record

pytestmark = pytest.mark.pipeline

# What sees no images, and is as in the committed results.
BLIND = ("ablation", "convolution", "gradients", "dimensions", "discrete", "importance")
BLIND += ("tandem", "headlines")
BLIND_FIGURES = ("convolution", "ablation", "importance", "ladder", "paths", "weights", "coverage")
BLIND_FIGURES += ("tandem",)
BLIND_FIGURES += ("gradients", "estimators", "descents", "dimensions", "discrete", "report")


def colours(folder: Path) -> None:
    """Two coloured halves and some noise, with no labels and no test set."""
    rng = np.random.default_rng(0)
    halves = rng.integers(0, 200, (400, 2, 1, 3), np.uint8).repeat(4, 1).repeat(12, 2)
    noise = rng.integers(0, 40, halves.shape, np.uint8)
    np.savez(folder / "images.npz", images=halves + noise)


CASES = {
    "eight": {"dataset": "digits_8x8"},
    "colour": {
        "dataset": "own",
        "own": {"title": "Flags", "height": 8, "width": 12, "colour": True, "test": 60},
    },
}


@pytest.fixture(scope="module", params=CASES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A folder in which the stages have run on such images."""
    root = tmp_path_factory.mktemp(request.param)
    for name in ("stages", "masks", "results", "metrics", "figures", "replicates", "own"):
        shutil.copytree(ROOT / name, root / name)
    if request.param == "colour":
        colours(root / "own")
    write_small_parameters(root / "params.yaml")
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["data"] |= CASES[request.param]
    params["prepare"]["validation"] = 60
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    skipped = {*BLIND, *(f"figures@{name}" for name in BLIND_FIGURES)}
    lock["stages"] = {name: x for name, x in lock["stages"].items() if name not in skipped}
    (root / "lock").write_text(yaml.safe_dump(lock, sort_keys=False))
    run(root, sys.executable, str(ROOT / "tests" / "replay.py"), "lock", NICELAB_DEVICE="cpu")
    return request.param, root


def test_images_keep_their_shape(made: tuple[str, Path]) -> None:
    case, root = made
    data = read_record(root / "data" / "images.npz", ImageSet)
    assert data.of_shape == {"eight": (1, 8, 8), "colour": (3, 8, 12)}[case]
    assert (data.test_labels is None) == (case == "colour")
    for family in ("nice", "glow"):
        drawn = read_record(root / "arrays" / "samples" / f"{family}.npz", Samples)
        assert tuple(drawn.shape) == data.of_shape
        found = read_metrics(root / "results" / "likelihood" / f"{family}.json")
        assert found["dimensions"] == data.dimensions
        assert (
            found["dataset"] == {"eight": "scikit-learn digits at 8 × 8", "colour": "Flags"}[case]
        )


def test_what_needs_classes_is_left_out_without_them(made: tuple[str, Path]) -> None:
    case, root = made
    known = case == "eight"
    for family in ("nice", "glow"):
        scores = read_metrics(root / "results" / "inpainting" / f"{family}.json")
        assert ("accuracy" in scores["truth"]) == known
        assert ("accuracy" in scores["mean_over_masks"]["gaussian"]) == known
        assert ("by_class" in read_metrics(root / f"results/diagnostics/{family}.json")) == known
    assert ("test" in read_metrics(root / "results" / "classifier.json")) == known


def test_figures_are_in_colour_where_the_images_are(made: tuple[str, Path]) -> None:
    case, root = made
    with Image.open(root / "figures" / "grid.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    coloured = (np.ptp(pixels, axis=-1) > 60).mean()
    assert (coloured > 0.05) == (case == "colour")
