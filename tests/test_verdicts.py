"""Whether a difference is more than noise, on made-up numbers."""

import json
from fnmatch import fnmatchcase

import numpy as np
import pytest

from imports import ROOT
from nicelab.comparison.verdicts import DIRECTIONS, Verdict, direction, flatten, judge
from nicelab.statistics import Estimate, mean

NAME = "likelihood.test.log_likelihood"


def verdict(before: Estimate | str, after: Estimate | str, name: str = NAME) -> Verdict:
    (row,) = judge({name: before}, {name: after})
    return row.verdict


def test_verdicts() -> None:
    base = Estimate(10.0, 1.0, 100)
    assert verdict(base, Estimate(15.0, 1.0, 100)) == Verdict.BETTER
    assert verdict(base, Estimate(5.0, 1.0, 100)) == Verdict.WORSE
    assert verdict(base, Estimate(11.0, 1.0, 100)) == Verdict.NO_EVIDENCE
    assert verdict(base, base) == Verdict.SAME
    assert verdict(base, Estimate(5.0, 1.0, 100), "likelihood.test.bits_per_dim") == Verdict.BETTER
    assert verdict(base, Estimate(5.0, 1.0, 100), "diagnostics.what") == Verdict.DIFFERENT
    assert verdict(Estimate.exact(1), Estimate.exact(2)) == Verdict.CHANGED
    assert verdict(Estimate.exact(1), Estimate.exact(1 + 1e-15)) == Verdict.SAME
    assert verdict("MNIST", "digits") == Verdict.CHANGED
    assert judge({}, {NAME: base})[0].verdict == Verdict.NEW
    assert judge({NAME: base}, {})[0].verdict == Verdict.GONE


def test_the_difference_is_after_less_before_and_its_error_adds_in_squares() -> None:
    (row,) = judge({NAME: Estimate(10.0, 3.0, 50)}, {NAME: Estimate(12.0, 4.0, 100)})
    assert row.difference == Estimate(2.0, 5.0, 50)
    assert row.z == pytest.approx(0.4)


def test_a_share_of_one_is_not_known_exactly() -> None:
    """20 of 20 replicates covered is no evidence against 95 %; 2000 of 2000 is."""
    share = Estimate(0.95, 0.007, 1000)
    assert verdict(share, Estimate(1.0, 0.0, 20), "coverage") == Verdict.NO_EVIDENCE
    assert verdict(share, Estimate(1.0, 0.0, 2000), "coverage") == Verdict.DIFFERENT


def test_noise_is_rarely_called_a_difference() -> None:
    """Of 2000 metrics of the same runs 5 % differ by 1.96 standard errors; corrected, none."""
    random = np.random.default_rng(0)
    before = {f"m{k}": Estimate(random.normal(), 1.0, 10) for k in range(2000)}
    after = {f"m{k}": Estimate(random.normal(), 1.0, 10) for k in range(2000)}
    rows = judge(before, after)
    assert sum(abs(row.z) > 1.96 for row in rows) > 50
    assert all(row.verdict == Verdict.NO_EVIDENCE for row in rows)
    after["m7"] = Estimate(10.0, 1.0, 10)
    assert sum(row.verdict == Verdict.DIFFERENT for row in judge(before, after)) == 1


def test_pairs_see_what_independent_errors_hide() -> None:
    random = np.random.default_rng(0)
    hard = random.normal(0, 100, 1000)
    before, after = hard + random.normal(0, 1, 1000), hard + 0.5 + random.normal(0, 1, 1000)
    metrics = [{NAME: mean(x)} for x in (before, after)]
    assert judge(*metrics)[0].verdict == Verdict.NO_EVIDENCE
    (row,) = judge(*metrics, pairs=lambda name: (before, after))
    assert row.paired
    assert row.verdict == Verdict.BETTER
    assert row.difference.standard_error == pytest.approx(2**0.5 / 1000**0.5, rel=0.1)


def test_samples_that_are_not_the_metrics_are_not_paired() -> None:
    """Such as those of an older run that the cache still has."""
    metrics = [{NAME: Estimate(x, 1.0, 3)} for x in (1.0, 2.0)]
    samples = np.array([0.0, 1.0, 2.0])
    (row,) = judge(*metrics, pairs=lambda name: (samples, samples))
    assert not row.paired


def test_flatten() -> None:
    estimate = {"value": 1.0, "standard_error": 0.1, "n": 5}
    found = flatten({"a": {"b": estimate, "c": {"d": 3}}, "e": {"f": "x", "g": True, "h": None}})
    assert found == {
        "a.b": Estimate(1.0, 0.1, 5),
        "a.c.d": Estimate.exact(3),
        "e.f": "x",
        "e.g": "True",
        "e.h": "None",
    }


def test_labels_are_no_metrics() -> None:
    """Those of a file, that is; what is called so elsewhere is left."""
    labels = {"methods": {"crude": "crude Monte Carlo"}}
    found = flatten({"importance": {"paths": 3, "labels": labels}, "labels": {"x": {"labels": 1}}})
    assert found == {"importance.paths": Estimate.exact(3), "labels.x.labels": Estimate.exact(1)}


def test_every_direction_fits_a_metric() -> None:
    """A declaration that fits none is a misspelling."""
    names = [
        name
        for path in (ROOT / "results").glob("*.json")
        for name in flatten({path.stem: json.loads(path.read_text())})
    ]

    for pattern in DIRECTIONS:
        assert any(fnmatchcase(name, pattern) for name in names), pattern
    assert direction("inpainting.mean_over_masks.gaussian.psnr") == 1
    assert direction("importance.methods.sheet.exact_relative_error") == -1
    assert direction("inpainting.mean_over_masks.gaussian.log_likelihood") == 0
