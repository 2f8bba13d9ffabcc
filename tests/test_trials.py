import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from games import played
from imports import ROOT
from nicelab.importance import trials
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.proposals import Brownian, Constant
from nicelab.importance.simulation import BLOCK
from nicelab.importance.threads import AHEAD
from nicelab.importance.trials import replicate, tally
from nicelab.statistics import mean, relative_error

SHORT = Gambler(start=5, target=10, plays=40, p=0.4)
DRAWS = Draws(0, "test")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def test_sums_over_blocks_say_what_all_paths_say() -> None:
    n, exact = 2 * BLOCK + 100, outcome(SHORT).probability
    found, paths = tally(SHORT, Constant(0.55), n, DRAWS), played(SHORT, Constant(0.55), n)
    assert found.hits == paths.hit.sum()
    assert found.plays.mean * n == pytest.approx(paths.plays.sum())
    assert len(found.first.hit) == BLOCK
    expected = mean(paths.samples / exact)
    assert found.relative.estimate().value == pytest.approx(expected.value, rel=1e-12)
    assert found.relative.estimate().standard_error == pytest.approx(expected.standard_error)
    assert found.relative.relative_error().value == pytest.approx(
        relative_error(paths.samples).value
    )


def test_paths_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """At any time there are a few blocks of them, beside the first one."""
    alive, most = [], []
    simulate = trials.simulate

    def counted(*args: object) -> object:
        for block in simulate(*args):
            alive[:] = [reference for reference in alive if reference() is not None]
            alive.append(__import__("weakref").ref(block))
            most.append(len(alive))
            yield block

    monkeypatch.setattr(trials, "simulate", counted)
    few = AHEAD * torch.get_num_threads()
    tally(SHORT, Constant(0.55), (3 * few + 1) * BLOCK, DRAWS)
    assert len(most) == 3 * few + 1
    assert max(most) <= few + 2


def test_replicates_are_independent_and_unbiased() -> None:
    """Mean within 4 standard errors of 1; spread as their own errors say, within 4 of its own."""
    centre, error = replicate(SHORT, Brownian(), 200, 400, DRAWS)
    assert abs(mean(centre).z_score(1)) < 4
    ratio = centre.std(ddof=1) / np.sqrt((error**2).mean())
    assert abs(ratio - 1) < 4 / 800**0.5
    assert abs(np.corrcoef(centre[1:], centre[:-1])[0, 1]) < 4 / 400**0.5


@pytest.mark.slow
def test_two_processes_say_what_one_says(tmp_path: Path) -> None:
    """Byte for byte: every path has its own random numbers, and the sums have their order."""
    parameters = YAML(typ="safe", pure=True).load(ROOT / "demo" / "params.yaml")
    parameters["importance"].update(start=5, target=10, plays=40, p=0.4, paths=3 * BLOCK + 7)
    parameters["importance"]["coverage"].update(played=20, points=2)
    parameters["importance"]["splitting"].update(levels=5, groups=6)
    with (tmp_path / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(parameters, file)
    for launcher, out in ([sys.executable], "one"), (TORCHRUN, "two"):
        outputs = f"--arrays={out}.npz", f"--ladder={out}.csv", f"--metrics={out}.json"
        command = [*launcher, ROOT / "stages" / "importance.py", *outputs]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environment)
    for suffix in ("csv", "json", "npz"):
        one, two = (tmp_path / f"{out}.{suffix}" for out in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
