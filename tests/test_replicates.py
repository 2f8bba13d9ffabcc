"""Means over trainings, and when they may be used."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imports import ROOT
from nicelab.errors import InputError
from nicelab.flows.families.nice import Architecture
from nicelab.likelihood.recipe import Training, identity
from nicelab.likelihood.replicates import collect, over_seeds
from nicelab.pipeline.artifacts import read_metrics, write_metrics
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import Estimate

VALUES = {1: 10.0, 2: 13.0}
RECIPE = {
    "epochs": 2,
    "batch": 8,
    "learning_rate": 1e-3,
    "scale_rate": 1.0,
    "warm_up": 0,
    "schedule": "linear",
    "weight_decay": 0.0,
    "clip": None,
    "precision": "float32",
    "seed": 0,
}


def likelihoods(value: float) -> dict[str, Any]:
    parts = {"training": 5.0, "validation": -2.0, "test": 0.0}
    return {p: {"log_likelihood": Estimate(value + x, 1.0, 9)} for p, x in parts.items()}


def run(seed: int, recipe: str = "a") -> Metrics:
    content = {"seed": seed, "recipe_md5": recipe, "images_md5": "i", **likelihoods(VALUES[seed])}
    return Metrics(content, Path("run.json"))


def collected() -> Metrics:
    return Metrics(collect([run(1), run(2)]), Path("likelihood.json"))


def training(seed: int, recipe: str = "a") -> Metrics:
    return Metrics({"seed": seed, "recipe_md5": recipe}, Path("training.json"))


def test_the_mean_is_over_trainings() -> None:
    found = over_seeds(training(0), likelihoods(13.0), collected())
    assert found["seeds"] == [0, 1, 2]
    assert found["test"]["log_likelihood"] == Estimate(12.0, pytest.approx(1.0), 3)
    assert found["training_less_validation"] == Estimate(7.0, 0.0, 3)
    assert found["least_test_less_validation"] == 2


def test_another_recipe_has_no_replicates() -> None:
    assert over_seeds(training(0, "b"), likelihoods(13.0), collected()) is None


def test_a_seed_counts_once() -> None:
    """With the seed of a replicate there are but two trainings, which are too few."""
    assert over_seeds(training(1), likelihoods(10.0), collected()) is None


def test_replicates_belong_together() -> None:
    spread = collect([run(1), run(2)])["likelihood"]["test"]["log_likelihood"]
    assert spread == {"mean": 11.5, "standard_deviation": pytest.approx(4.5**0.5)}
    with pytest.raises(InputError, match="of different recipes"):
        collect([run(1), run(2, "b")])
    with pytest.raises(InputError, match="at least 2 replicates, got 1"):
        collect([run(1)])


def test_a_seed_is_not_part_of_a_recipe() -> None:
    model = Architecture(family="nice", couplings=2, hidden=8, depth=1)
    first = identity(model, Training(**RECIPE), "float32", "i")
    assert first == identity(model, Training(**RECIPE | {"seed": 5}), "float32", "i")
    others = {
        identity(model, Training(**RECIPE | {"epochs": 3}), "float32", "i"),
        identity(model.model_copy(update={"hidden": 9}), Training(**RECIPE), "float32", "i"),
        identity(model, Training(**RECIPE), "bfloat16", "i"),
        identity(model, Training(**RECIPE), "float32", "j"),
    }
    assert len(others | {first}) == 5


def test_the_command_collects(tmp_path: Path) -> None:
    """Each family's runs in a file of its own."""
    for family in ("nice", "other"):
        for seed in VALUES:
            write_metrics(tmp_path / family / f"seed_{seed}.json", run(seed, family))
    command = [sys.executable, "-m", "nicelab.likelihood.replicates", "--folder", str(tmp_path)]
    subprocess.run(command, check=True)
    found = {path.stem: read_metrics(path) for path in (tmp_path / "likelihood").glob("*.json")}
    assert {family: metrics["recipe_md5"] for family, metrics in found.items()} == {
        "nice": "nice",
        "other": "other",
    }
    assert found["nice"]["runs"] == collected()["runs"]


def test_the_committed_files_are_what_was_found() -> None:
    files = sorted((ROOT / "replicates" / "likelihood").glob("*.json"))
    assert files
    for file in files:
        runs = sorted((ROOT / "replicates" / file.stem).glob("seed_*.json"))
        found = [read_metrics(path) for path in runs]
        assert read_metrics(file) == Metrics(collect(found), file)
