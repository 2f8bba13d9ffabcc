"""What the parts of a flow are worth: the statistics, and what belongs together."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy import stats

from imports import ROOT
from nicelab.ablation.rungs import Rungs
from nicelab.ablation.study import LEVEL, collect, compare
from nicelab.errors import InputError
from nicelab.flows.families.glow import Architecture
from nicelab.pipeline.artifacts import read_metrics, write_metrics
from nicelab.pipeline.metrics import Metrics
from nicelab.pipeline.params import load, read_all
from nicelab.report.tables import ablation as table
from nicelab.statistics import Estimate, mean

FOLDER = ROOT / "ablation"
NATS = {"complete": [10.0, 11.0, 12.0], "permutation": [7.0, 9.0, 8.0], "pixels": [11.5, 10, 12]}


def run(rung: str, seed: int, **other: Any) -> Metrics:  # noqa: ANN401
    content = {
        "dataset": "noise",
        "flow": "Glow",
        "label": rung,
        "parameters": 7,
        "epochs": 3,
        "seed": seed,
        "recipe_md5": rung,
        "images_md5": "i",
        "validation": {"log_likelihood": Estimate(float(NATS[rung][seed]), 1.0, 9)},
    }
    return Metrics(content | other, Path(f"{rung}.json"))


def trainings() -> dict[str, list[Metrics]]:
    return {rung: [run(rung, seed) for seed in range(3)] for rung in NATS}


def compared(nats: dict[str, Any]) -> dict[str, Any]:
    rungs = {
        name: {"label": name, "parameters": 7, "epochs": 3, "validation": dict(enumerate(values))}
        for name, values in nats.items()
    }
    given = {"dataset": "noise", "flow": "Glow", "rungs": rungs}
    return compare(Metrics(given, Path("trainings.json")))[1]["rungs"]


def test_differences_are_of_means_with_the_pooled_error() -> None:
    found = compared(NATS)
    assert found["complete"]["log_likelihood"] == mean(NATS["complete"])
    assert "less_complete" not in found["complete"]
    less = found["permutation"]["less_complete"]
    pooled = np.mean([np.var(x, ddof=1) for x in NATS.values()])
    assert less == Estimate(-3.0, pytest.approx((pooled * 2 / 3) ** 0.5), 3)
    others = [NATS["permutation"], NATS["pixels"]]
    dunnett = stats.dunnett(*others, control=NATS["complete"])
    assert less.z_score(0) == pytest.approx(dunnett.statistic[0])


def test_intervals_hold_all_differences_together() -> None:
    """Of 40 000 ablations in which no part counts one in twenty errs, within 3 standard errors.

    Intervals of each difference alone err more than twice as often.
    """
    rng, trials, rungs = np.random.default_rng(0), 40_000, 6
    nats = rng.normal(size=(trials, rungs, 3))
    found = compared(dict(zip("abcdef", nats[0], strict=True)))["b"]
    less = found["less_complete"]
    half = (found["interval"][1] - less.value) / less.standard_error
    error = (nats.var(-1, ddof=1).mean(-1, keepdims=True) * 2 / 3) ** 0.5
    apart = abs(nats[:, 1:].mean(-1) - nats[:, :1].mean(-1)) / error
    together, alone = (
        (apart > end).any(1).mean() for end in (half, stats.t.isf(0.025, 2 * rungs))
    )
    expected = 1 - LEVEL
    noise = (expected * LEVEL / trials) ** 0.5
    assert abs(together - expected) < 3 * noise
    assert alone > 2 * expected


def test_trainings_belong_together() -> None:
    found = collect(trainings())
    assert list(found["rungs"]) == list(NATS)
    assert found["rungs"]["pixels"]["validation"] == {"0": 11.5, "1": 10.0, "2": 12.0}
    for odd in ({"recipe_md5": "x"}, {"images_md5": "x"}):
        mixed = trainings()
        mixed["pixels"] = [run("pixels", seed, **odd) for seed in range(3)]
        if "recipe_md5" in odd:
            mixed["pixels"][1] = run("pixels", 1)
        with pytest.raises(InputError, match="the trainings of pixels are not all of one recipe"):
            collect(mixed)
    with pytest.raises(InputError, match="at least 2 trainings of pixels, got 1"):
        collect(trainings() | {"pixels": [run("pixels", 0)]})


def test_a_rung_changes_what_it_names_and_nothing_else() -> None:
    rungs = load(FOLDER / "params.yaml", "ablation", Rungs)
    given = {"family": "glow", **read_all(ROOT / "params.yaml")["model"]["glow"]}
    complete = Architecture(**given)
    first, *others = rungs.rungs
    assert rungs.architecture(complete, first) == complete
    for name in others:
        changed = rungs.architecture(complete, name).model_dump()
        differs = {k: x for k, x in changed.items() if x != complete.model_dump()[k]}
        assert differs == rungs.rungs[name].change
        assert differs or rungs.trained(name) != rungs.epochs
    assert {rungs.trained(name) for name in ("complete", "longer")} == {3, 4}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mix": "stir"}, "ablation.rungs.b.change.mix: Input should be .*, got 'stir'"),
        ({"mixed": 1}, "ablation.rungs.b.change.mixed: Extra inputs are not permitted, got 1"),
    ],
)
def test_changes_that_do_not_fit(change: dict[str, Any], said: str) -> None:
    given = {"family": "glow", **read_all(ROOT / "params.yaml")["model"]["glow"]}
    parts = {"a": {"label": "a", "change": {}}, "b": {"label": "b", "change": change}}
    rungs = Rungs(epochs=1, rungs=parts)
    with pytest.raises(InputError, match=said):
        rungs.architecture(Architecture(**given), "b")
    with pytest.raises(InputError, match="the rung must be one of a, b, got 'c'"):
        rungs.architecture(Architecture(**given), "c")


def test_the_pipeline_trains_every_rung() -> None:
    stage = YAML(typ="safe").load(FOLDER / "dvc.yaml")["stages"]["ablate"]
    assert stage["matrix"]["rung"] == list(read_all(FOLDER / "params.yaml")["ablation"]["rungs"])


def test_the_command_collects(tmp_path: Path) -> None:
    rungs = {name: {"label": name, "change": {}} for name in NATS}
    with (tmp_path / "params.yaml").open("w") as file:
        YAML().dump({"ablation": {"epochs": 3, "rungs": rungs}}, file)
    for name, runs in trainings().items():
        for metrics in runs:
            write_metrics(tmp_path / name / f"seed_{metrics['seed']}.json", metrics)
    command = [sys.executable, "-m", "nicelab.ablation.study", "--folder", str(tmp_path)]
    subprocess.run(command, check=True)
    found = read_metrics(tmp_path / "trainings.json")
    assert found == Metrics(collect(trainings()), Path("trainings.json"))


def test_the_committed_file_is_what_was_found() -> None:
    committed = read_metrics(FOLDER / "trainings.json")
    found = {
        name: [read_metrics(path) for path in sorted((FOLDER / name).glob("seed_*.json"))]
        for name in committed["rungs"]
    }
    assert committed == Metrics(collect(found), FOLDER / "trainings.json")


def test_what_is_said_follows_from_the_intervals() -> None:
    nats = NATS | {"pixels": [20.0, 21.0, 22.0], "open": [10.5, 11.0, 11.0]}
    told = table.told({"rungs": compared(nats)})
    assert told == (
        "The likelihood is lower than that of the complete flow with “permutation”; higher with "
        "“pixels”; neither shown to be lower nor higher with “open”."
    )
