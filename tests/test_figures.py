from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imports import ROOT
from nicelab.figures import style
from nicelab.pipeline.artifacts import read_metrics


def test_tiles_are_laid_out_row_by_row() -> None:
    images = np.stack([np.full(4, value) for value in (0.1, 0.2, 0.3, 7.0)])
    sheet = style.tile(images, columns=2, gap=1)
    assert sheet.shape == (5, 5)
    assert sheet[0, 0] == 0.1
    assert sheet[0, 3] == 0.2
    assert sheet[3, 0] == 0.3
    assert sheet[4, 4] == 1.0  # clipped
    assert (sheet[2] == 1).all()


def test_figures_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    arrays = {part: np.random.default_rng(0).normal(2000, 100, 500)
              for part in ("training", "validation", "test")}  # fmt: skip
    metrics = read_metrics(ROOT / "metrics" / "likelihood.json")
    draw = import_module("nicelab.figures.likelihood").draw
    for name in ("one.png", "two.png"):
        style.save(draw(arrays, metrics), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize("path", sorted((ROOT / "figures").glob("*.png")), ids=lambda p: p.stem)
def test_figures_are_twice_as_wide_as_a_screen_needs(path: Path) -> None:
    with Image.open(path) as image:
        assert image.width == style.WIDTH * style.DPI


@pytest.mark.parametrize("dataset", ["MNIST", "scikit-learn digits"])
def test_titles_name_the_data_and_state_the_finding(dataset: str) -> None:
    curve = {
        "epoch": np.arange(1, 4),
        "training_log_likelihood": np.array([1.0, 2, 3]),
        "validation_log_likelihood": np.array([1.0, 2, 2.5]),
        "validation_standard_error": np.ones(3),
    }
    best = {"value": 2.5, "standard_error": 1.0, "n": 9}
    metrics = {"dataset": dataset, "best_epoch": 3, "validation": {"log_likelihood": best}}
    figure = import_module("nicelab.figures.training").draw(curve, metrics)
    assert figure.get_suptitle().startswith(f"{dataset}: validation log-likelihood reaches 2.5")
    papers = [text for text in figure.axes[0].texts if "Dinh" in text.get_text()]
    assert len(papers) == (dataset == "MNIST")


@pytest.mark.parametrize("paths", [2, 5, 3000])
def test_running_estimates_of_however_few_paths(paths: int) -> None:
    q = np.linspace(0.49, 0.7, 5)
    names = ("siegmund", "sheet", "variance_optimal", "brownian")
    arrays = {f"relative_{name}": np.arange(paths) % 3.0 for name in names}
    arrays |= {"q": q, "coverage_q": q} | {
        name: np.full(5, 0.1)
        for name in ("exact_relative_error", "defensive_relative_error", "observed_relative_error",
                     "observed_relative_error_standard_error")
    }  # fmt: skip
    metrics = read_metrics(ROOT / "metrics" / "importance.json")
    figure = import_module("nicelab.figures.importance").draw(arrays, metrics)
    n, running = figure.axes[0].lines[1].get_data()
    assert n[0] == min(10, paths)
    assert n[-1] == paths
    assert running[-1] == pytest.approx(arrays["relative_sheet"].mean())
