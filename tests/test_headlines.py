"""The headlines: one list for the tables and for the metrics, and each number in it readable."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import norm

from imports import FAMILIES, ROOT
from nicelab.comparison.directions import direction
from nicelab.comparison.verdicts import LEVEL
from nicelab.errors import InputError
from nicelab.pipeline.params import flatten
from nicelab.report.contents import read_results
from nicelab.report.headlines.gradients import estimators
from nicelab.report.headlines.headline import Headline, at_least, log10
from nicelab.report.headlines.results import headlines, metrics
from nicelab.statistics import Estimate
from test_stages import command

MOST = 60  # leaves that a person reads
FIXED = (
    "likelihood.nice.test_log_likelihood",
    "likelihood.nice.validation_log_likelihood",
    "inpainting.nice.squared_error_less_gaussian",
    "importance.exact.log10_probability",
    "importance.sheet.log10_probability",
    "convolution.log10_largest_error",
    "gradients.convicted",
)


@pytest.fixture(scope="module")
def found() -> list[Headline]:
    return headlines(read_results(ROOT / "results", FAMILIES))


@pytest.fixture(scope="module")
def leaves(found: list[Headline]) -> dict[str, float]:
    return flatten(metrics(found))


def test_there_are_few(leaves: dict[str, float]) -> None:
    assert len(leaves) <= MOST
    assert {name.rpartition(".")[2] for name in leaves} == {"value", "standard_error"}


def test_names_are_fixed(found: list[Headline]) -> None:
    names = [headline.name for headline in found]
    assert set(FIXED) <= set(names)
    assert len(set(names)) == len(names)


def test_few_enough_are_tested_for_a_loss(found: list[Headline]) -> None:
    """So that Holm's procedure sees one loss of 4 standard errors in 9 of 10."""
    tested = [x for x in found if x.ours.standard_error and direction(x.name)]
    assert len(tested) >= 3
    assert norm.cdf(4 - norm.isf(LEVEL / len(tested))) > 0.9


def test_five_decimals_say_something(leaves: dict[str, float]) -> None:
    """As many as DVC shows: one digit of an error, and of a value three or all that it has."""
    for name, x in leaves.items():
        if name.endswith("value"):
            error = leaves[name.removesuffix("value") + "standard_error"]
            assert x == 0 or abs(x) >= 0.001 or error >= 0.0001, name
        else:
            assert x == 0 or x >= 0.00005, name


def test_the_committed_metrics_are_those_of_the_committed_results(found: list[Headline]) -> None:
    files = {path.stem: json.loads(path.read_text()) for path in (ROOT / "metrics").glob("*.json")}
    assert files == metrics(found)


def test_the_stage_writes_a_file_for_each_study(tmp_path: Path, found: list[Headline]) -> None:
    def write(*studies: str) -> Any:  # noqa: ANN401 - click's result
        paths = [f"--metrics={tmp_path / study}.json" for study in studies]
        params = f"--params={ROOT / 'params.yaml'}"
        return CliRunner().invoke(command("headlines"), [str(ROOT / "results"), *paths, params])

    expected = metrics(found)
    assert write(*expected).exit_code == 0
    for study, content in expected.items():
        assert json.loads((tmp_path / f"{study}.json").read_text()) == content
    some = write("likelihood")
    assert some.exit_code == 1
    missing = ", ".join(sorted(set(expected) - {"likelihood"}))
    assert f"--metrics must name a file for each of {missing}\n" in some.output


def test_the_error_of_a_logarithm_is_that_of_many_logarithms() -> None:
    """To 3 standard errors of a standard deviation, 1 / √(2 n) of it; without ln 10 it is not."""
    samples = np.log10(np.random.default_rng(0).normal(2.5e-6, 1e-7, 10_000))
    ours = log10(Estimate(2.5e-6, 1e-7, 3000))
    assert ours.value == pytest.approx(math.log10(2.5e-6))
    allowed = 3 / math.sqrt(2 * samples.size)
    assert samples.std() == pytest.approx(ours.standard_error, rel=allowed)
    assert samples.std() != pytest.approx(1e-7 / 2.5e-6, rel=allowed)


def test_what_has_no_logarithm_is_named() -> None:
    with pytest.raises(InputError, match="importance.x: 0.0 has no logarithm"):
        Headline("importance.x", "x", Estimate(0.0, 0.0, 9), logarithm=True).metric  # noqa: B018
    assert Headline("a.b", "x", at_least(0.0), logarithm=True).metric["value"] == -18


def bias(*values: Estimate) -> dict[str, Any]:
    return {f"point {k}": {"bias": {"mu": x}} for k, x in enumerate(values)}


def test_a_bias_is_proven_by_its_error() -> None:
    """One point is enough; what rounding alone makes is none, however many errors it is."""
    end = Estimate(0.3, 0.1, 10)
    run = {
        "mu": end,
        "sigma": end,
        "exact": {"mu": end, "sigma": end},
        "printed": {"mu": {"z_score": 0.0}, "sigma": {"z_score": 0.0}},
    }
    names = ("score_as_printed", "score", "pathwise_as_printed", "pathwise")
    found = {
        "biased": bias(Estimate(0.1, 0.1, 10), Estimate(0.5, 0.1, 10)),
        "right": bias(Estimate(-0.3, 0.1, 10)),
        "quadrature": bias(Estimate(1e-11, 0.0, 1), Estimate(1e-11, 1e-13, 10)),
    }
    *_, convicted = estimators({"sgd": dict.fromkeys(names, run), "estimators": found})
    assert convicted.ours == Estimate.exact(1)
    assert convicted.quantity.endswith("of 3")
