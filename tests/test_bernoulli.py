import pytest
import torch
from torch.func import grad

from nicelab.gradients import bernoulli
from nicelab.gradients.bernoulli import ESTIMATORS, Bernoulli, exact_gradient, f, outcomes

CONFIG = Bernoulli(logits=[-1.0, 0.0, 0.5, 2.0], target=1.3, batch=8, replicates=20_000)
THETA = torch.tensor(CONFIG.logits, dtype=torch.float64)


def test_probabilities_add_up() -> None:
    bits, probability = outcomes(THETA)
    assert len(bits.unique(dim=0)) == 16
    assert float(probability.sum()) == pytest.approx(1)
    torch.testing.assert_close((probability[:, None] * bits).sum(0), THETA.sigmoid())


def test_exact_gradient_is_that_of_autograd() -> None:
    """E (Σ b − t)² = Σ p (1 − p) + (Σ p − t)²."""

    def expectation(theta: torch.Tensor) -> torch.Tensor:
        p = theta.sigmoid()
        return (p * (1 - p)).sum() + (p.sum() - CONFIG.target) ** 2

    torch.testing.assert_close(exact_gradient(THETA, CONFIG.target), grad(expectation)(THETA))


@pytest.mark.parametrize("name", ["score", "measure_valued"])
def test_means_over_all_outcomes_are_exact(name: str) -> None:
    bits, probability = outcomes(THETA)
    terms = ESTIMATORS[name].terms(THETA, bits, CONFIG.target)
    mean = (probability[:, None] * terms).sum(0)
    torch.testing.assert_close(mean, exact_gradient(THETA, CONFIG.target))


def test_measure() -> None:
    """Unbiased within 4 standard errors; the variance of the score's is that over outcomes."""
    metrics = bernoulli.measure(CONFIG, seed=0)
    for name in ESTIMATORS:
        for component, exact in metrics["exact_gradient"].items():
            assert abs(metrics[name][component].z_score(exact.value)) < 4
    bits, probability = outcomes(THETA)
    terms = ESTIMATORS["score"].terms(THETA, bits, CONFIG.target)
    second = (probability[:, None] * terms**2).sum(0)
    variance = (second - exact_gradient(THETA, CONFIG.target) ** 2).sum()
    assert abs(metrics["score"]["variance"].z_score(float(variance))) < 4
    assert metrics["measure_valued"]["variance"].value < metrics["score"]["variance"].value
    assert metrics["measure_valued"]["evaluations"] == 8


def test_leaving_one_out_by_hand() -> None:
    bits = torch.tensor([[1.0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=torch.float64)
    values = f(bits, 1.3)
    expected = (values[0] - (values[1] + values[2]) / 2) * (bits[0] - THETA.sigmoid())
    found = ESTIMATORS["score_leave_one_out"].terms(THETA, bits, 1.3)[0]
    torch.testing.assert_close(found, expected)
