import copy
from typing import Any

import pytest

from nicelab.gradients.verdicts import (
    minimum_at,
    points_with_less_variance,
    predictions,
    printed_by_the_faults,
    shifted,
)
from nicelab.report.tables import descents
from nicelab.report.tables.gradients import told
from nicelab.statistics import Estimate

NAMES = ("score_as_printed", "pathwise_as_printed", "score", "pathwise")


def place(mu: float, sigma: float, error: float = 0.0) -> dict[str, Estimate]:
    return {"mu": Estimate(mu, error, 100), "sigma": Estimate(sigma, error, 100)}


def variance(mu: float, tau: float) -> dict:
    return {"exact_variance": {"mu": Estimate.exact(mu), "tau": Estimate.exact(tau)}}


MINIMA = {"global": place(1.4, 2.0), "local": place(0.4, 0.6)}
FOUND = {
    "labels": {"estimators": {name: f"«{name}»" for name in NAMES}},
    "sgd": {
        name: {"printed": {"sigma": {"z_score": z}}}
        for name, z in zip(NAMES, (0.9, -0.9, 6.9, -12.3), strict=True)
    },
    "long_runs": {
        name: {**place(x, y, 0.01), "expected": place(x, y)}
        for name, x, y in zip(NAMES, (0.5, 0.4, 0.4, 0.4), (0.8, 0.4, 0.6, 0.6), strict=True)
    },
    "exact": {"minima": MINIMA},
    "estimators": {
        "score": {"mu=1 sigma=2": variance(1, 1), "mu=0 sigma=1": variance(1, 3)},
        "pathwise": {"mu=1 sigma=2": variance(2, 1), "mu=0 sigma=1": variance(2, 1)},
    },
}


@pytest.mark.parametrize(
    ("name", "z", "expected"),
    [
        ("score", 6.9, True),
        ("score", 2.9, False),  # the right one could have printed it
        ("pathwise_as_printed", 3.1, False),  # the faulty one could not
    ],
)
def test_who_could_have_printed_it(name: str, z: float, expected: bool) -> None:
    sgd = copy.deepcopy(FOUND["sgd"])
    sgd[name]["printed"]["sigma"]["z_score"] = z
    assert printed_by_the_faults(sgd) == expected


def test_which_minimum_it_is() -> None:
    assert minimum_at(place(1.4, 2.0005), MINIMA) == "global"
    assert minimum_at(place(0.4, 0.6), MINIMA) == "local"
    assert minimum_at(place(0.4, 0.7), MINIMA) is None


def test_where_the_variance_is_less() -> None:
    found = FOUND["estimators"]
    assert points_with_less_variance(found, "score", "pathwise") == ["mu=1 sigma=2"]
    assert points_with_less_variance(found, "pathwise", "score") == ["mu=0 sigma=1"]


def test_a_shift_is_seen_beyond_three_standard_errors() -> None:
    runs = copy.deepcopy(FOUND["long_runs"])
    runs["score"]["sigma"] = Estimate(0.629, 0.01, 100)
    assert shifted(runs) == []
    runs["score"]["sigma"] = Estimate(0.569, 0.01, 100)
    assert shifted(runs) == ["score"]


def test_the_text_follows_the_metrics() -> None:
    text = told(FOUND)
    assert text["printed"].startswith("agree with the faulty")
    assert text["ends"].startswith("«score_as_printed», at σ = 0.800 ± 0.010, where no minimum is")
    assert text["ends"].endswith("«pathwise», at σ = 0.600 ± 0.010, at the local minimum")
    assert text["shifted"].startswith("Here no shift is seen")
    assert text["less_variance"].endswith(
        "of 2 points the score function has less variance at μ = 1, σ = 2."
    )
    changed = copy.deepcopy(FOUND)
    changed["sgd"]["score"]["printed"]["sigma"]["z_score"] = 1.0
    changed["long_runs"]["pathwise"]["sigma"] = Estimate(0.7, 0.01, 100)
    changed["estimators"]["score"]["mu=1 sigma=2"] = variance(9, 9)
    text = told(changed)
    assert text["printed"].startswith("do not tell")
    assert text["shifted"] == "Here the shift is seen with «pathwise»."
    assert (
        text["less_variance"]
        == "At all 2 points pathwise has less variance than the score function."
    )
    changed["estimators"]["pathwise"] = {
        at: variance(10, 10) for at in ("mu=1 sigma=2", "mu=0 sigma=1")
    }
    assert told(changed)["less_variance"].startswith("At all 2 points the score function has less")


RUN = {
    "mu": Estimate(0.44, 0.01, 9),
    "sigma": Estimate(0.60, 0.01, 9),
    "spread": {"mu": Estimate(0.02, 0.001, 9), "sigma": Estimate(0.03, 0.001, 9)},
    "predicted": {"mu": Estimate.exact(0.45), "sigma": Estimate.exact(0.61)},
    "predicted_spread": {"mu": Estimate.exact(0.022), "sigma": Estimate.exact(0.03)},
}


def descended() -> dict[str, Any]:
    """Two estimators under two optimisers."""
    losses = {"sgd": (1.0, 4.0), "adam": (2.0, 2.0)}
    budget = {
        key: {
            name: {
                "excess_loss": Estimate(x, 0.1, 9),
                "learning_rate": 0.1,
                "share_astray": Estimate(0.0, 0.0, 9),
                "rates": {rate: {} for rate in ("0.01", "0.1", "1")},
            }
            for name, x in zip("ab", both, strict=True)
        }
        for key, both in losses.items()
    }
    node = {"quadrature": Estimate.exact(1e-9), "least_deviation": Estimate.exact(0.1)}
    return {
        "long_runs": {"score": copy.deepcopy(RUN)},
        "nodes": {
            "mu=0 sigma=1": node,
            "mu=1 sigma=2": node | {"quadrature": Estimate.exact(1.0)},
        },
        "few_nodes": 16,
        "budget": budget | {"evaluations": 100},
        "labels": {"estimators": {"a": "A", "b": "B"}, "optimisers": {"sgd": "S", "adam": "D"}},
    }


def test_standard_errors_from_theory() -> None:
    assert predictions(RUN) == pytest.approx([-1, -1, -2, 0])


def test_the_text_on_descent_follows_the_metrics() -> None:
    metrics = descended()
    text = descents.told(metrics)
    assert "theory agrees with" in text["floor"]
    assert "of 4 numbers none is farther off than 2.0 standard errors" in text["floor"]
    assert text["nodes"].endswith("at 1 of 2 points.")
    assert "SGD ends nearer than Adam with 1 of 2 estimators and Adam with 1" in text["optimisers"]
    metrics["long_runs"]["score"]["sigma"] = Estimate(0.65, 0.01, 9)
    assert "theory does not agree with" in descents.told(metrics)["floor"]
    metrics["budget"]["sgd"]["a"]["floor"] = Estimate.exact(0.9)
    assert descents.budget(metrics).rows == [
        ("A", "1.00 ± 0.10", "0.1", "0 %", "9.00×10⁻¹", "2.00 ± 0.10", "0.1", "0 %"),
        ("B", "4.00 ± 0.10", "0.1", "0 %", "–", "2.00 ± 0.10", "0.1", "0 %"),
    ]


@pytest.mark.parametrize(
    ("floor", "text"),
    [
        (0.9, "at the end with 1 and still above it with 0."),
        (0.6, "at the end with 0 and still above it with 1."),
        (1.4, "at the end with 0 and still above it with 0, but below it with 1."),
    ],
)
def test_who_has_come_down_to_the_floor(floor: float, text: str) -> None:
    metrics = descended()
    metrics["budget"]["sgd"]["a"]["floor"] = Estimate.exact(floor)
    told = descents.told(metrics)["reached"]
    assert told.startswith("Of 1 estimators whose floor")
    assert told.endswith(text)


def test_choices_at_an_end_and_runs_astray_are_told() -> None:
    metrics = descended()
    text = descents.told(metrics)
    assert text["grid"].endswith("of S with 0 and of D with 0 of 2 estimators.")
    assert text["astray"].startswith("No run ends nearest to the other minimum")
    metrics["budget"]["sgd"]["a"]["learning_rate"] = 0.01
    metrics["budget"]["adam"]["b"]["learning_rate"] = 1.0
    metrics["budget"]["adam"]["b"]["share_astray"] = Estimate(0.125, 0.1, 8)
    text = descents.told(metrics)
    assert text["grid"].endswith("of S with 1 and of D with 1 of 2 estimators.")
    assert text["astray"].endswith("of the others there are 12.5% at most.")


def test_long_runs_are_told_of_both_parameters() -> None:
    metrics = descended()
    run = metrics["long_runs"].pop("score")
    metrics["labels"]["estimators"]["score"] = "score"
    metrics["long_runs"]["score"] = run | {"expected": place(0.43, 0.6)}
    row = ("score", "μ", "0.440 ± 0.010", "0.430000", "+1.0", "0.450000", "−1.0")
    assert descents.settled(metrics).rows[0] == row
    assert descents.wandering(metrics).rows == [
        ("score", "μ", "0.0200 ± 0.0010", "0.02200", "−2.0"),
        ("score", "σ", "0.0300 ± 0.0010", "0.03000", "+0.0"),
    ]


def test_plain_quadrature_is_told_of_each_point() -> None:
    assert descents.nodes(descended()).rows == [
        ("μ = 0, σ = 1", "1.0×10⁻⁹", "1.0×10⁻¹"),
        ("μ = 1, σ = 2", "1.0×10⁰", "1.0×10⁻¹"),
    ]
