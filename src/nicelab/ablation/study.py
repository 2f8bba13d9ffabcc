"""What the parts of a flow are worth: trainings of which each changes one.

`make ablation` trains them by a pipeline of its own, in the folder `ablation`, and collects what
they found in one file there, which the stage `ablation` reads: `python -m nicelab.ablation.study`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy.stats import dunnett

from nicelab.ablation.records import Ablation
from nicelab.ablation.rungs import Rungs
from nicelab.errors import InputError
from nicelab.pipeline.artifacts import read_metrics, write_metrics
from nicelab.pipeline.metrics import Metrics
from nicelab.pipeline.options import PATH
from nicelab.pipeline.params import load
from nicelab.statistics import Estimate, mean

LEVEL = 0.95  # of the intervals of all rungs together
SHARED = ("dataset", "flow", "images_md5")  # by all trainings


def collect(found: Mapping[str, Sequence[Metrics]]) -> dict[str, Any]:
    """What all trainings of all rungs found, as one.

    Raises:
        InputError: a rung has too few trainings, or they do not belong together.
    """
    runs = [run for of_rung in found.values() for run in of_rung]
    for name, of_rung in found.items():
        if len(of_rung) < 2:
            raise InputError(f"expected at least 2 trainings of {name}, got {len(of_rung)}")
        odd = [run for run in of_rung if run["recipe_md5"] != of_rung[0]["recipe_md5"]]
        if odd or any(of_rung[0][part] != runs[0][part] for part in SHARED):
            raise InputError(
                f"the trainings of {name} are not all of one recipe and the same images: "
                "run `make ablation` again"
            )
    return {
        **{part: runs[0][part] for part in SHARED},
        "rungs": {name: _of_rung(of_rung) for name, of_rung in found.items()},
    }


def _of_rung(runs: Sequence[Metrics]) -> dict[str, Any]:
    return {
        "label": runs[0]["label"],
        "parameters": runs[0]["parameters"],
        "epochs": runs[0]["epochs"],
        "validation": {str(r["seed"]): r["validation"]["log_likelihood"].value for r in runs},
    }


def compare(collected: Metrics) -> tuple[Ablation, dict[str, Any]]:
    """Means over trainings, and what every rung has less than the first.

    The differences have Dunnett's (1955) simultaneous intervals for several treatments and one
    control, whose trainings are all taken to vary alike; the standard error is of the pooled
    variance.
    """
    rungs = collected["rungs"]
    nats = {name: np.array(list(rung["validation"].values())) for name, rung in rungs.items()}
    control, *others = nats.values()
    found = dunnett(*others, control=control, rng=np.random.default_rng(0))
    ends = found.confidence_interval(LEVEL)
    pooled = np.sqrt(
        sum(((x - x.mean()) ** 2).sum() for x in nats.values())
        / sum(len(x) - 1 for x in nats.values())
    )
    metrics = {
        "dataset": collected["dataset"],
        "flow": collected["flow"],
        "epochs": next(iter(rungs.values()))["epochs"],
        "rungs": {
            name: {
                "label": rung["label"],
                "parameters": rung["parameters"],
                "epochs": rung["epochs"],
                "log_likelihood": mean(nats[name]),
            }
            for name, rung in rungs.items()
        },
    }
    names = list(nats)[1:]
    for name, x, low, high in zip(names, others, ends.low, ends.high, strict=True):
        error = float(pooled * np.sqrt(1 / len(x) + 1 / len(control)))
        less = Estimate(float(x.mean() - control.mean()), error, len(x))
        metrics["rungs"][name] |= {
            "less_complete": less,
            "interval": [float(low), float(high)],
        }
    return Ablation(nats=nats), metrics


@click.command()
@click.option("--folder", type=PATH, default="ablation", show_default=True)
def main(folder: Path) -> None:
    """Collect the trainings of every rung of FOLDER's parameters in its file trainings.json."""
    rungs = load(folder / "params.yaml", "ablation", Rungs).rungs
    found = {
        name: [read_metrics(path) for path in sorted((folder / name).glob("seed_*.json"))]
        for name in rungs
    }
    write_metrics(folder / "trainings.json", collect(found))


if __name__ == "__main__":
    main()
