import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.proposals import Brownian, Constant
from nicelab.importance.simulation import BLOCK
from nicelab.importance.splitting import by_balance, split
from nicelab.importance.threads import AHEAD, concurrently
from nicelab.importance.trials import replicate, tally

SHORT = Gambler(start=5, target=10, plays=40, p=0.4)
DRAWS = Draws(0, "test")


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("count", [1, 3])
def test_results_come_in_order_and_few_wait(count: int) -> None:
    torch.set_num_threads(count)
    started = []
    for i, result in enumerate(concurrently(lambda x: started.append(x) or x**2, range(100))):
        assert result == i**2
        assert len(started) <= i + AHEAD * count
    assert i == 99


@pytest.mark.usefixtures("threads")
def test_several_work_at_once_and_errors_come_out() -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    torch.set_num_threads(2)
    together = threading.Barrier(2, timeout=60)
    assert sorted(concurrently(lambda _: together.wait(), range(2))) == [0, 1]
    with pytest.raises(ZeroDivisionError):
        list(concurrently(lambda x: 1 / x, [1, 0]))


INSIDE = """
from nicelab.importance.adaptive import adaptive
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import Gambler
from nicelab.importance.groups import Splitting
from nicelab.importance.particles import twisted
from nicelab.importance.proposals import Brownian
from nicelab.importance.simulation import simulate
from nicelab.importance.splitting import by_balance, by_reach, fixed_effort

game, draws = Gambler(start=5, target=10, plays=40, p=0.4), Draws(0, "inside")
config = Splitting(levels=5, groups=2, killed=0.1, effective=0.5, replicates=20)
assert all(block.plays.all() for block in simulate(game, Brownian(), 200, draws))
for estimates in (adaptive, twisted, fixed_effort(by_balance), fixed_effort(by_reach)):
    assert estimates(game, config, 20, 20, draws)[1].all()
"""


@pytest.mark.slow
def test_compiled_code_stays_inside_its_arrays(tmp_path: Path) -> None:
    """Which numba checks only when it is told to."""
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", INSIDE]
    done = subprocess.run(command, env=os.environ | checked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("threads")
def test_no_number_depends_on_the_threads() -> None:
    level, seen = by_balance(SHORT, 5), []
    for count in (1, 3):
        torch.set_num_threads(count)
        found = tally(SHORT, Constant(0.55), 5 * BLOCK + 7, DRAWS)
        repeated = replicate(SHORT, Brownian(), 200, 20, DRAWS)
        divided = split(SHORT, level, 50, 20, DRAWS)
        seen.append([found.relative, found.plays, *map(np.ndarray.tolist, repeated + divided)])
    assert seen[0] == seen[1]
