"""The twisted particle filter against the package `particles`: the same estimate, and how fast.

    make tmp/peers
    PYTHONPATH=tmp/peers python benchmarks/filters.py

Both move particles with the Brownian transform, weight them with H / h, and resample
systematically once the effective number of particles falls below a share. Printed as Markdown:
mean and standard deviation of the estimates in units of the exact probability, ± one standard
error over runs, and seconds of a run, in turns.
"""

import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from particles import SMC, FeynmanKac

from nicelab.formatting import estimate
from nicelab.importance.config import Importance
from nicelab.importance.draws import Draws
from nicelab.importance.gambler import outcome
from nicelab.importance.particles import brownian, moves, twisted
from nicelab.pipeline.options import params_option
from nicelab.pipeline.params import load
from nicelab.statistics import mean, standard_deviation


class Twisted(FeynmanKac):
    """The gambler as a Feynman-Kac model, with h(0, start) left out of the estimate.

    A game that has ended stays where it is, as its balance at every later time.
    """

    def __init__(self, game: Importance, log_h: np.ndarray, random: np.random.Generator) -> None:
        super().__init__(game.plays + 1)
        self.game, self.random = game, random
        self.win, self.factor = moves(log_h, game.p)

    def M0(self, N: int) -> np.ndarray:  # noqa: N802, N803 - as `particles` calls them
        """Chips in the beginning."""
        return np.full(N, self.game.start)

    def M(self, t: int, xp: np.ndarray) -> np.ndarray:  # noqa: N802
        """One play of every particle."""
        won = self.random.random(len(xp)) < self.win[t - 1, xp]
        return np.where((xp == 0) | (xp == self.game.target), xp, xp + 2 * won - 1)

    def logG(self, t: int, xp: np.ndarray | None, x: np.ndarray) -> np.ndarray:  # noqa: N802
        """H / h of the play, and after the last one whether the target is reached."""
        if xp is None:
            return np.zeros(len(x))
        with np.errstate(divide="ignore"):
            log_g = np.log(self.factor[t - 1, xp])
        return np.where(x == self.game.target, log_g, -np.inf) if t == self.T - 1 else log_g


def theirs(game: Importance, paths: int, runs: int) -> np.ndarray:
    """Estimates by `particles`, (runs,)."""
    log_h, found = brownian(game), np.empty(runs)
    for k in range(runs):
        np.random.seed(k)  # noqa: NPY002 - what its resampling draws from
        model = Twisted(game, log_h, np.random.default_rng(k))
        run = SMC(model, N=paths, resampling="systematic", ESSrmin=game.splitting.effective)
        run.run()
        found[k] = np.exp(log_h[0, game.start] + run.logLt)
    return found


def ours(game: Importance, paths: int, runs: int) -> np.ndarray:
    """Estimates by nicelab, (runs,)."""
    return twisted(game, game.splitting, paths, runs, Draws(0, "filters"))[0]


@click.command()
@click.option("--paths", default=100, show_default=True, help="Particles of a run.")
@click.option("--runs", default=200, show_default=True, help="Of each turn.")
@click.option("--turns", type=click.IntRange(2), default=5, show_default=True)
@params_option
def main(paths: int, runs: int, turns: int, params: Path) -> None:
    """Both filters on the gambler of the parameters."""
    game = load(params, "importance", Importance)
    codes: dict[str, Callable[[Importance, int, int], np.ndarray]] = {
        "particles": theirs,
        "nicelab": ours,
    }
    ours(game, paths, 2)  # compiles
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    found: dict[str, np.ndarray] = {}
    for _ in range(turns):
        for name, run in codes.items():
            start = time.perf_counter()
            found[name] = run(game, paths, runs) / outcome(game).probability
            seconds[name].append((time.perf_counter() - start) / runs)
    click.echo(
        f"{paths} particles, {runs} runs, {turns} turns\n\n| code | mean / exact | standard "
        "deviation / exact | seconds of a run | times as fast |\n| --- | --- | --- | --- | --- |"
    )
    slow = np.array(seconds["particles"])
    for name, x in found.items():
        took = np.array(seconds[name])
        cells = mean(x), standard_deviation(x), mean(took), mean(slow / took)
        click.echo(f"| {name} | {' | '.join(map(estimate, cells))} |")


if __name__ == "__main__":
    main()
