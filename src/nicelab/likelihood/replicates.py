"""The same recipe with other seeds: how much of a likelihood is the luck of one training.

`make replicates` trains them by a pipeline of its own, in a folder for each family below
`replicates`, and collects what those of a family found in one file of `replicates/likelihood`,
which `evaluate` reads: `python -m nicelab.likelihood.replicates`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from nicelab.errors import InputError
from nicelab.likelihood.records import PARTS
from nicelab.pipeline.artifacts import read_metrics, write_metrics
from nicelab.pipeline.metrics import Metrics
from nicelab.pipeline.options import PATH
from nicelab.statistics import mean

ENOUGH = 3  # trainings whose mean is reported


def over_seeds(
    training: Metrics, likelihoods: Mapping[str, Mapping[str, Any]], replicates: Metrics
) -> dict[str, Any] | None:
    """Likelihoods as means over trainings, with standard errors over them.

    Args:
        training: what was trained, by which recipe, with which seed.
        likelihoods: its own, by part.
        replicates: what `collect` gives.

    Returns:
        None where the replicates belong to another recipe or other images, or are too few.
    """
    if training["recipe_md5"] != replicates["recipe_md5"]:
        return None
    runs = {int(seed): run for seed, run in replicates["runs"].items()}
    runs[training["seed"]] = {part: x["log_likelihood"].value for part, x in likelihoods.items()}
    if len(runs) < ENOUGH:
        return None
    values = {part: [run[part] for run in runs.values()] for part in PARTS}
    test, training_part, validation = (
        np.array(values[part]) for part in ("test", "training", "validation")
    )
    return {
        "seeds": sorted(runs),
        **{part: {"log_likelihood": mean(values[part])} for part in PARTS},
        "training_less_validation": mean(training_part - validation),
        "test_less_validation": mean(test - validation),
        "least_test_less_validation": float((test - validation).min()),
    }


def collect(found: Sequence[Metrics]) -> dict[str, Any]:
    """What trainings with several seeds found, as one.

    Raises:
        InputError: there are fewer than two, or they do not belong together.
    """
    if len(found) < 2:
        raise InputError(f"expected the results of at least 2 replicates, got {len(found)}")
    first = found[0]
    for run in found:
        if run["recipe_md5"] != first["recipe_md5"]:
            raise InputError(
                f"the replicates with seeds {first['seed']} and {run['seed']} are of different "
                "recipes, images or precisions: run `make replicates` again"
            )
    values = {part: [run[part]["log_likelihood"].value for run in found] for part in PARTS}
    return {
        "recipe_md5": first["recipe_md5"],
        "images_md5": first["images_md5"],
        "runs": {
            str(run["seed"]): {part: run[part]["log_likelihood"].value for part in PARTS}
            for run in found
        },
        "likelihood": {part: {"log_likelihood": _spread(values[part])} for part in PARTS},
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "standard_deviation": float(np.std(values, ddof=1))}


@click.command()
@click.option("--folder", type=PATH, default="replicates", show_default=True)
def main(folder: Path) -> None:
    """Collect the replicates of every family in FOLDER in a file of its folder likelihood."""
    for family in sorted({path.parent for path in folder.glob("*/seed_*.json")}):
        found = [read_metrics(path) for path in sorted(family.glob("seed_*.json"))]
        write_metrics(folder / "likelihood" / f"{family.name}.json", collect(found))


if __name__ == "__main__":
    main()
