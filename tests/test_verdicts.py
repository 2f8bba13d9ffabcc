"""Whether a difference is more than noise, on made-up numbers."""

import json
from fnmatch import fnmatchcase
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import norm

from imports import ROOT
from nicelab.comparison.directions import DIRECTIONS, REPEATS, ROUNDING, direction
from nicelab.comparison.readings import readings
from nicelab.comparison.verdicts import (
    Row,
    Verdict,
    _one_sided,
    another_seed,
    by_false_discoveries,
    by_holm,
    failures,
    holm,
    judge,
    stale,
)
from nicelab.errors import InputError
from nicelab.statistics import Estimate, mean

NAME = "likelihood.nice.test_log_likelihood"
ERROR = "convolution.coupling.largest_absolute_error"


def row(before: Estimate | str, after: Estimate | str, name: str = NAME) -> Row:
    (found,) = by_holm(judge({name: before}, {name: after}))
    return found


def verdict(before: Estimate | str, after: Estimate | str, name: str = NAME) -> Verdict:
    return row(before, after, name).verdict


def test_verdicts() -> None:
    base = Estimate(10.0, 1.0, 100)
    assert verdict(base, Estimate(15.0, 1.0, 100)) == Verdict.BETTER
    assert verdict(base, Estimate(5.0, 1.0, 100)) == Verdict.WORSE
    assert verdict(base, Estimate(11.0, 1.0, 100)) == Verdict.NO_EVIDENCE
    assert verdict(base, base) == Verdict.SAME
    assert verdict(base, Estimate(5.0, 1.0, 100), "diagnostics.what") == Verdict.DIFFERENT
    assert verdict(Estimate.exact(1), Estimate.exact(2), "what") == Verdict.CHANGED
    assert verdict(Estimate.exact(1), Estimate.exact(1 + 1e-15)) == Verdict.SAME
    assert verdict("MNIST", "digits") == Verdict.CHANGED
    assert judge({}, {NAME: base})[0].verdict == Verdict.NEW
    assert judge({NAME: base}, {})[0].verdict == Verdict.GONE
    assert verdict(base, "unknown") == Verdict.GONE


def test_a_small_loss_with_a_small_error_is_one() -> None:
    base, loss = Estimate(10.0, 0.001, 100), Estimate(9.5, 0.001, 100)
    assert verdict(base, loss) == Verdict.WORSE
    assert verdict(loss, base) == Verdict.BETTER


def test_one_sided_p_values_are_those_of_scipy() -> None:
    """Of a gain and of a loss, whichever way is better; together they are 1."""
    for name, way in ((NAME, 1), ("convolution.log10_largest_error", -1)):
        for gain in (-1.5, -0.2, 0.3, 2.0):
            (found,) = judge({name: Estimate(0, 0.6, 9)}, {name: Estimate(gain * way, 0.8, 9)})
            assert _one_sided(found, 1) == pytest.approx(norm.sf(gain))
            assert _one_sided(found, -1) == pytest.approx(norm.cdf(gain))


def test_less_error_is_better_and_more_likelihood() -> None:
    """Of every headline that is judged, by the word in its name that says which way is better."""
    words = {"error": -1, "log_likelihood": 1, "accuracy": 1}
    files = {path.stem: json.loads(path.read_text()) for path in (ROOT / "metrics").iterdir()}
    judged = [name for name in readings(files) if direction(name)]
    assert len(judged) > 10
    for name in judged:
        (way,) = {way for word, way in words.items() if word in name}
        assert direction(name) == way, name


def test_exact_numbers_are_better_or_worse() -> None:
    """Beyond rounding, which is another level for each kind of error."""
    assert verdict(Estimate.exact(1.4e-14), Estimate.exact(37.0), ERROR) == Verdict.WORSE
    assert verdict(Estimate.exact(37.0), Estimate.exact(1.4e-14), ERROR) == Verdict.BETTER
    assert verdict(Estimate.exact(1e-16), Estimate.exact(1e-12), ERROR) == Verdict.SAME
    assert verdict(Estimate.exact(0.0), Estimate.exact(1e-12), ERROR) == Verdict.SAME
    headline = "convolution.log10_largest_error"
    assert verdict(Estimate.exact(-14.0), Estimate.exact(-10.0), headline) == Verdict.SAME
    assert verdict(Estimate.exact(-14.0), Estimate.exact(-8.0), headline) == Verdict.WORSE
    variance = "gradients.estimators.score.mu=0 sigma=1.exact_variance.mu"
    assert verdict(Estimate.exact(1.8), Estimate.exact(180.0), variance) == Verdict.WORSE
    assert verdict(Estimate.exact(1.8), Estimate.exact(1.8 + 1e-12), variance) == Verdict.SAME
    work = "gradients.estimators.score.mu=0 sigma=1.work"
    assert verdict(Estimate.exact(1.8), Estimate.exact(1.8 + 1e-12), work) == Verdict.SAME
    assert verdict(Estimate.exact(1e-12), Estimate.exact(1e-10), work) == Verdict.SAME


def test_what_is_no_gain_is_neither_better_nor_worse() -> None:
    """What was learned by heart, what was observed of an error, what was learned from samples."""
    one, two = Estimate(1.0, 0.01, 100), Estimate(2.0, 0.01, 100)
    for name in (
        "likelihood.nice.training.log_likelihood",
        "importance.methods.sheet.relative_error",
        "importance.sheet.observed_relative_error_percent",
        "importance.methods.brownian.replicated.relative_error",
        "importance.methods.cross_entropy.exact_relative_error",
        "gradients.estimators.score.mu=0 sigma=1.variance.mu",
        "inpainting.nice.methods.as_printed.squared_error",
    ):
        assert verdict(one, two, name) == Verdict.DIFFERENT, name
    assert direction("importance.methods.sheet.exact_relative_error") == -1


def test_no_quantity_has_two_verdicts() -> None:
    """What is said in another unit or with another error is not judged."""
    one, two = Estimate(4.0, 0.001, 100), Estimate(3.0, 0.001, 100)
    for name in (
        "likelihood.nice.test.bits_per_dim",
        "likelihood.nice.test_bits_per_dim",
        "likelihood.nice.test.log_likelihood_over_draws",
        "training.nice.validation.log_likelihood",
        "inpainting.nice.mean_over_masks.chain_mean.squared_error_less_gaussian",
    ):
        assert verdict(one, two, name) == Verdict.NOT_JUDGED, name


def test_the_difference_is_after_less_before_and_its_error_adds_in_squares() -> None:
    found = row(Estimate(10.0, 3.0, 50), Estimate(12.0, 4.0, 100))
    assert found.difference == Estimate(2.0, 5.0, 50)
    assert found.z == pytest.approx(0.4)


def test_a_share_of_one_is_not_known_exactly() -> None:
    """20 of 20 replicates covered is no evidence against 95 %; 2000 of 2000 is."""
    share = Estimate(0.95, 0.007, 1000)
    assert verdict(share, Estimate(1.0, 0.0, 20), "coverage") == Verdict.NO_EVIDENCE
    assert verdict(share, Estimate(1.0, 0.0, 2000), "coverage") == Verdict.DIFFERENT


def test_holms_p_values_reject_what_his_procedure_does() -> None:
    """In every order, at every level: reject the least while n p < level, then (n − 1) p, …."""
    for p in permutations((0.001, 0.011, 0.02, 0.04, 0.5)):
        adjusted = holm(p)
        for level in (0.005, 0.03, 0.05, 0.06, 0.2):
            rejected = set()
            for k, x in enumerate(sorted(p)):
                if (len(p) - k) * x >= level:
                    break
                rejected.add(x)
            assert {x for x, y in zip(p, adjusted, strict=True) if y < level} == rejected
    assert list(holm([])) == []


def test_noise_is_rarely_called_a_difference() -> None:
    """Of 2000 metrics of the same runs 5 % differ by 1.96 standard errors; corrected, none."""
    random = np.random.default_rng(0)
    before = {f"m{k}": Estimate(random.normal(), 1.0, 10) for k in range(2000)}
    after = {f"m{k}": Estimate(random.normal(), 1.0, 10) for k in range(2000)}
    for correct in (by_holm, by_false_discoveries):
        rows = correct(judge(before, after))
        assert sum(abs(row.z) > 1.96 for row in rows) > 50
        assert all(row.verdict == Verdict.NO_EVIDENCE for row in rows)
        changed = correct(judge(before, after | {"m7": Estimate(15.0, 1.0, 10)}))
        assert sum(row.verdict == Verdict.DIFFERENT for row in changed) == 1


def test_one_gain_does_not_make_noise_a_loss() -> None:
    """Beside a gain of 40 standard errors 50 pairs of runs fail as seldom as without it.

    To 3 standard errors of such a share. Without a correction nearly all fail.
    """
    names = [f"inpainting.nice.masks.{k}.ssim" for k in range(300)]
    base = dict.fromkeys(names, Estimate(0.0, 0.0, 1))
    noise = np.random.default_rng(0).normal(0, 1, (50, 300))
    noise[:, 0] += 40
    failed, uncorrected = 0, 0
    for x in noise:
        after = {name: Estimate(v, 1.0, 10) for name, v in zip(names, x, strict=True)}
        rows = by_holm(judge(base, after))
        failed += any(row.verdict == Verdict.WORSE for row in rows)
        uncorrected += any(row.z < -1.96 for row in rows)
        assert rows[0].verdict == Verdict.BETTER
    assert failed / 50 <= 0.05 + 3 * (0.05 * 0.95 / 50) ** 0.5
    assert uncorrected > 45


def test_false_discoveries_are_few_however_metrics_depend() -> None:
    """The correction is the one for any dependence: larger than Benjamini and Hochberg's."""
    after = {f"m{k}": Estimate(z, 1.0, 10) for k, z in enumerate((5.0, 3.2, 3.1, 0.5, 0.1))}
    rows = by_false_discoveries(judge(dict.fromkeys(after, Estimate.exact(0.0)), after))
    harmonic = sum(1 / k for k in range(1, 6))
    assert rows[2].adjusted_p == pytest.approx(rows[2].p * 5 / 3 * harmonic)


def test_pairs_see_what_independent_errors_hide() -> None:
    random = np.random.default_rng(0)
    hard = random.normal(0, 100, 1000)
    before, after = hard + random.normal(0, 1, 1000), hard + 0.5 + random.normal(0, 1, 1000)
    metrics = [{NAME: mean(x)} for x in (before, after)]
    assert by_holm(judge(*metrics))[0].verdict == Verdict.NO_EVIDENCE
    (found,) = by_holm(judge(*metrics, pairs=lambda name: (before, after)))
    assert found.paired
    assert found.verdict == Verdict.BETTER
    assert found.difference.standard_error == pytest.approx(2**0.5 / 1000**0.5, rel=0.1)


def test_samples_that_are_not_the_metrics_are_not_paired() -> None:
    """Such as those of an older run that the cache still has."""
    metrics = [{NAME: Estimate(x, 1.0, 3)} for x in (1.0, 2.0)]
    samples = np.array([0.0, 1.0, 2.0])
    (found,) = judge(*metrics, pairs=lambda name: (samples, samples))
    assert not found.paired


def test_the_spread_over_trainings_is_part_of_the_error() -> None:
    """Where it is unknown there is no test; an exact number is not exact over trainings."""
    metrics = {NAME: Estimate(10.0, 3.0, 50)}, {NAME: Estimate(0.0, 4.0, 50)}
    (found,) = judge(*metrics, spread=lambda name: 12.0)
    assert found.difference.standard_error == pytest.approx(13.0)
    (found,) = by_holm(judge(*metrics, spread=lambda name: None))
    assert (found.verdict, found.p) == (Verdict.NO_EVIDENCE, None)
    assert "spread over trainings is unknown" in found.note
    exact = {NAME: Estimate.exact(10.0)}, {NAME: Estimate.exact(0.0)}
    for spread, expected in ((None, "no evidence"), (20.0, "no evidence"), (0.0, "worse")):
        (found,) = by_holm(judge(*exact, spread=lambda name, spread=spread: spread))
        assert found.verdict == expected


def test_what_a_gate_lets_through() -> None:
    exact = Estimate.exact(1.0)
    names = (NAME, "diagnostics.what")
    gone = judge(dict.fromkeys(names, exact), {})
    assert [row.name for row in failures(gone, headlines=False)] == [NAME]
    assert {row.name for row in failures(gone, headlines=True)} == set(names)
    (same,), (worse,) = (judge({NAME: exact}, {NAME: Estimate.exact(x)}) for x in (1.0, 0.0))
    assert failures([same], headlines=True) == []
    assert failures([worse], headlines=True) == [worse]
    assert failures([stale(same)], headlines=True) == [stale(same)]
    assert stale(worse) == worse
    assert failures([another_seed(worse)], headlines=True) == []


def test_readings() -> None:
    estimate = {"value": 1.0, "standard_error": 0.1, "n": 5}
    headline = {"value": 2, "standard_error": 0.1}
    parts = {"b": estimate, "c": {"d": 3}, "e": headline}
    found = readings({"a": parts, "e": {"f": "x", "g": True, "h": None}})
    assert found == {
        "a.b": Estimate(1.0, 0.1, 5),
        "a.c.d": Estimate.exact(3),
        "a.e": Estimate(2.0, 0.1, 0),
        "e.f": "x",
        "e.g": "True",
        "e.h": "None",
    }
    assert readings({"a/b": {"c": 1}}) == {"a.b.c": Estimate.exact(1)}


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 10**400, None, "x", True])
def test_numbers_that_are_none_are_named(value: object) -> None:
    with pytest.raises(InputError, match="b.c in results/a.json has the value"):
        readings({"a": {"b": {"c": {"value": value, "standard_error": 0.1}}}})
    if isinstance(value, float | int) and not isinstance(value, bool):
        with pytest.raises(InputError, match="b in results/a.json has the value"):
            readings({"a": {"b": value}})


def test_an_error_below_0_is_named() -> None:
    with pytest.raises(InputError, match="b in results/a.json has the standard error -1"):
        readings({"a": {"b": {"value": 1, "standard_error": -1, "n": 3}}})


def test_labels_are_no_metrics() -> None:
    """Those of a file, that is; what is called so elsewhere is left."""
    labels = {"methods": {"crude": "crude Monte Carlo"}}
    files = {"importance": {"paths": 3, "labels": labels}, "labels": {"x": {"labels": 1}}}
    expected = {"importance.paths": Estimate.exact(3), "labels.x.labels": Estimate.exact(1)}
    assert readings(files) == expected


def test_every_declaration_fits_a_metric() -> None:
    """One that fits none is a misspelling."""
    names = [
        name
        for folder in ("results", "metrics")
        for path in (ROOT / folder).rglob("*.json")
        for name in readings(
            {str(path.relative_to(ROOT / folder).with_suffix("")): json.loads(path.read_text())}
        )
    ]
    for pattern in (*DIRECTIONS, *REPEATS, *ROUNDING):
        assert any(fnmatchcase(name, pattern) for name in names), pattern
