"""What the report's first screen says follows from the results, whichever way they go."""

import copy
from typing import Any

import pytest

from imports import FAMILIES, FIRST, ROOT
from nicelab.inpainting.verdicts import Contest, accepted, contest, masks_with_a_gain
from nicelab.report.contents import Results, read_results
from nicelab.report.findings import Finding, findings
from nicelab.report.tables import inpainting, likelihood
from nicelab.statistics import Estimate


@pytest.fixture(scope="module")
def committed() -> Results:
    return read_results(ROOT / "results", FAMILIES)


def test_gains_are_counted_by_their_intervals() -> None:
    """However small the unit: of three masks one gains, one loses, one is undecided."""
    gains = Estimate(0.5, 0.1, 100), Estimate(-0.5, 0.1, 100), Estimate(0.5, 0.4, 100)
    masks = {str(k): {"log_likelihood_less_truth": gain} for k, gain in enumerate(gains)}
    assert masks_with_a_gain(masks) == 1


def changed(results: Results, path: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    found = copy.deepcopy(dict(results))
    *parts, last = path.split("/")
    place: Any = found
    for part in parts:
        place = place[part]
    place[last] = value
    return found


LESS = f"inpainting/{FIRST}/mean_over_masks/chain_mean/squared_error_less_gaussian"
ZEROED = f"inpainting/{FIRST}/squared_error_zeroed_less_printed"
SEEDS = f"likelihood/{FIRST}/over_seeds/test/log_likelihood"
BLACK = f"diagnostics/{FIRST}/other_images/black/log_likelihood"
TOP_HALF = f"inpainting/{FIRST}/posterior/masks/top_half/accepted"
Q = "importance/methods/brownian/exact_relative_error"


@pytest.mark.parametrize(
    ("claim", "path", "value", "verdict"),
    [
        ("NICE reaches", SEEDS, Estimate(2100.0, 1.0, 4), "holds"),
        ("NICE reaches", SEEDS, Estimate(1900.0, 1.0, 4), "refuted"),
        ("NICE reaches", SEEDS, Estimate(1982.0, 1.0, 4), "open"),
        ("Under NICE a black", BLACK, Estimate(9999.0, 1.0, 9), "refuted"),
        ("Under NICE a black", BLACK, Estimate(-9999.0, 1.0, 9), "holds"),
        ("With its gradient", ZEROED, Estimate(-0.1, 0.01, 9), "holds"),
        ("With its gradient", ZEROED, Estimate(0.1, 0.01, 9), "refuted"),
        ("With its gradient", ZEROED, Estimate(0.02, 0.01, 9), "open"),
        ("The mean of NICE", LESS, Estimate(-0.1, 0.01, 9), "holds"),
        ("The mean of NICE", LESS, Estimate(0.1, 0.01, 9), "refuted"),
        ("The mean of NICE", LESS, Estimate(0.02, 0.01, 9), "open"),
        ("NICE’s long chains", TOP_HALF, False, "open"),
        ("The four", "convolution/plu/largest_absolute_error", Estimate.exact(37.0), "refuted"),
        ("Importance sampling", "importance/methods/sheet/z_score", 0.5, "holds"),
        ("Importance sampling", "importance/methods/sheet/z_score", 9.0, "refuted"),
        ("A proposal", Q, Estimate.exact(1e-6), "holds"),
        ("A proposal", Q, Estimate.exact(1.0), "refuted"),
        ("The sheet’s printed", "gradients/sgd/score/printed/sigma/z_score", 0.1, "open"),
    ],
)
def test_verdicts_follow_the_results(
    committed: Results,
    claim: str,
    path: str,
    value: Any,  # noqa: ANN401
    verdict: str,
) -> None:
    if path.startswith("convolution"):
        name = next(iter(committed["convolution"]["labels"]["claims"]))
        path = f"convolution/{name}/largest_absolute_error"
    assert claimed(changed(committed, path, value), claim).verdict == verdict


def test_chains_that_mix_are_said_to(committed: Results) -> None:
    found = copy.deepcopy(dict(committed))
    assert "have not mixed" in claimed(found, "The mean of NICE").found
    for mask in found["inpainting"][FIRST]["posterior"]["masks"].values():
        mask["accepted"] = True
    assert "have not mixed" not in claimed(found, "The mean of NICE").found
    assert claimed(found, "NICE’s long chains").verdict == "holds"


def claimed(results: Results, claim: str) -> Finding:
    """The finding whose claim begins so."""
    (found,) = [x for x in findings(results) if x.claim.startswith(claim)]
    return found


def test_a_conviction_too_many(committed: Results) -> None:
    points = committed["gradients"]["estimators"]["pathwise"]
    path = f"gradients/estimators/pathwise/{next(iter(points))}/bias/tau"
    one, two = (
        findings(x)[-1] for x in (committed, changed(committed, path, Estimate(1.0, 0.1, 9)))
    )
    assert (one.verdict, two.verdict) == ("holds", "refuted")


def test_a_few_sentences_of_every_study(committed: Results) -> None:
    found = findings(committed)
    assert len(found) == 7 + 4 * len(FAMILIES)
    sections = {"likelihood", "diagnostics", "inpainting", "convolution", "importance"}
    assert {x.section for x in found} == sections | {"gradients"}
    assert all(any(letter.isdigit() for letter in x.found) for x in found)


def masks(*less: tuple[float, float]) -> dict[str, Any]:
    return {
        str(k): {"methods": {"a": {"squared_error_less_b": Estimate(*pair, 9)}}}
        for k, pair in enumerate(less)
    }


def test_masks_are_judged_together() -> None:
    """Of twelve masks 2.5 standard errors decide none, though they would decide one alone."""
    undecided = contest(masks(*[(2.5, 1.0)] + [(0.0, 1.0)] * 11), "a", "b")
    assert undecided == Contest(0, 0, 12)
    assert contest(masks((2.5, 1.0)), "a", "b") == Contest(0, 1, 0)
    found = contest(masks((-5.0, 1.0), (5.0, 1.0), (-4.0, 1.0), (1.0, 1.0)), "a", "b")
    assert found == Contest(2, 1, 1)


def test_holm_stops_at_the_first_that_is_not_sure() -> None:
    """2.3 alone would pass the last step at 1.96, but not after 2.2 has failed at 2.24."""
    assert contest(masks((2.2, 1.0), (2.1, 1.0)), "a", "b") == Contest(0, 0, 2)
    assert contest(masks((2.3, 1.0), (2.1, 1.0)), "a", "b") == Contest(0, 2, 0)


def test_the_text_on_chains_follows_what_mixes(committed: Results) -> None:
    mixed = changed(committed, TOP_HALF, True)["inpainting"][FIRST]
    assert "top_half" in accepted(mixed["posterior"])
    assert "mix behind top half" in inpainting.told(mixed)["mixing"]
    none = copy.deepcopy(mixed)
    for found in none["posterior"]["masks"].values():
        found["accepted"] = False
    assert "mix behind no mask" in inpainting.told(none)["mixing"]


def test_the_text_on_gaps_follows_them(committed: Results) -> None:
    def said(value: float, error: float) -> str:
        path = f"likelihood/{FIRST}/over_seeds/test_less_validation"
        found = changed(committed, path, Estimate(value, error, 4))
        found["likelihood"][FIRST]["over_seeds"]["least_test_less_validation"] = value - 1
        return likelihood.told(found["likelihood"][FIRST])["gaps"]

    assert "they are easier in every training, test less" in said(20.0, 1.0)
    assert "they are easier, test less" in said(0.9, 0.1)
    assert "they are neither easier nor harder, test less" in said(2.0, 1.0)
    assert "they are harder, test less" in said(-20.0, 1.0)
