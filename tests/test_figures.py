import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imports import FIRST, ROOT
from nicelab.figures import style
from nicelab.likelihood.records import Curve, Likelihoods
from nicelab.pipeline.artifacts import read_metrics
from nicelab.statistics import Estimate


def test_tiles_are_laid_out_row_by_row() -> None:
    images = np.stack([np.full(4, value) for value in (0.1, 0.2, 0.3, 7.0)])
    sheet = style.tile(images, np.array([1, 2, 2]), columns=2, gap=1)
    assert sheet.shape == (5, 5)
    assert sheet[0, 0] == 0.1
    assert sheet[0, 3] == 0.2
    assert sheet[3, 0] == 0.3
    assert sheet[4, 4] == 1.0  # clipped
    assert (sheet[2] == 1).all()


def test_points_keep_their_places_where_figures_are_below_one_another(tmp_path: Path) -> None:
    figures = []
    for height in (1.0, 3.0):
        figures.append(style.new("", height))
        figures[-1].set_layout_engine("none")
        axes = figures[-1].add_axes((0, 0, 1, 1))
        style.mark(axes, 0.5, 0.5, "centre")
    style.save(figures, tmp_path / "both.png")
    with Image.open(tmp_path / "both.png") as picture:
        assert picture.height == 4 * style.DPI
        places = [(dot["left"], dot["top"]) for dot in json.loads(picture.info["dots"])]
    assert places == [(50, 12.5), (50, 62.5)]


def test_figures_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    nats = np.random.default_rng(0).normal(2000, 100, (3, 500))
    metrics = read_metrics(ROOT / "results" / "likelihood" / f"{FIRST}.json")
    draw = import_module("nicelab.figures.likelihood").draw
    for name in ("one.png", "two.png"):
        style.save([draw({"x": Likelihoods(*nats)}, {"x": metrics})], tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize("path", sorted((ROOT / "figures").glob("*.png")), ids=lambda p: p.stem)
def test_figures_are_twice_as_wide_as_a_screen_needs(path: Path) -> None:
    with Image.open(path) as image:
        assert image.width == style.WIDTH * style.DPI


@pytest.mark.parametrize("dataset", ["MNIST", "scikit-learn digits"])
def test_titles_name_the_data_and_state_the_finding(dataset: str) -> None:
    curve = Curve(
        epoch=np.arange(1, 4),
        learning_rate=np.ones(3),
        training_log_likelihood=np.array([1.0, 2, 3]),
        validation_log_likelihood=np.array([1.0, 2, 2.5]),
        validation_standard_error=np.ones(3),
    )
    best = Estimate(2.5, 1.0, 9)
    metrics = {
        "dataset": dataset,
        "flow": "NICE",
        "best_epoch": 3,
        "validation": {"log_likelihood": best},
    }
    other = {**metrics, "flow": "Glow", "best_epoch": 2}
    figure = import_module("nicelab.figures.training").draw(
        {"x": curve, "y": curve}, {"x": metrics, "y": other}
    )
    title = figure.get_suptitle()
    assert title.startswith(f"{dataset}, validation log-likelihood: NICE reaches 2.5 ± 1.0 nats")
    assert title.endswith("Glow reaches 2.5 ± 1.0 nats in epoch 2")
    papers = [text for text in figure.axes[0].texts if "Dinh" in text.get_text()]
    assert len(papers) == (dataset == "MNIST")
