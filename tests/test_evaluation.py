import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from nicelab.flows.families.nice import NICE, Architecture
from nicelab.images.levels import dequantise
from nicelab.likelihood.evaluation import (
    Evaluation,
    baseline,
    evaluate,
    gaps,
    measure,
    summarise,
)
from nicelab.statistics import Estimate

CONFIG = Evaluation(draws=6, seed=0)


def test_a_known_density(random: torch.Generator) -> None:
    """With s = 0 and couplings at the identity, log p(x) is the logistic's, up to 1/256."""
    model = NICE(4, Architecture(family="nice", couplings=2, hidden=4, depth=1))
    model.standardise(torch.zeros(4), torch.full((4,), math.pi / math.sqrt(3)), random)
    pixels = torch.tensor([[0, 64, 128, 255]], dtype=torch.uint8).repeat(3, 1)
    x = (pixels[0] + 0.5) / 256
    exact = (torch.nn.functional.logsigmoid(x) + torch.nn.functional.logsigmoid(-x)).sum()
    assert (evaluate(model, pixels, CONFIG, "test") - exact).abs().max() < 4 / 256


def test_draws_and_parts_have_noise_of_their_own(flow: NICE) -> None:
    pixels = torch.full((5, 12), 100, dtype=torch.uint8)
    test = evaluate(flow.float(), pixels, CONFIG, "test")
    assert test.shape == (6, 5)
    assert len(test.unique()) == 30
    assert not torch.equal(test, evaluate(flow, pixels, CONFIG, "validation"))
    assert torch.equal(test, evaluate(flow, pixels, CONFIG, "test"))


def test_errors_over_images_and_over_draws(random: torch.Generator) -> None:
    image = 10 * torch.randn(500, generator=random, dtype=torch.float64)
    noise = 3 * torch.randn(5, 500, generator=random, dtype=torch.float64)
    summary = summarise(image + noise, 784)
    over_images, over_draws = summary["log_likelihood"], summary["log_likelihood_over_draws"]
    assert over_images.value == pytest.approx(over_draws.value)
    assert (over_images.n, over_draws.n) == (500, 5)
    exact = math.sqrt((100 + 9 / 5) / 500)  # of which an estimate has relative error 1/√(2n)
    assert abs(over_images.standard_error / exact - 1) < 4 / math.sqrt(2 * 500)
    assert over_draws.standard_error < 3 * 3 / math.sqrt(500 * 5)
    bits = summary["bits_per_dim"]
    assert bits.value == pytest.approx(8 - over_images.value / (784 * math.log(2)))
    assert bits.standard_error * 784 * math.log(2) == pytest.approx(over_images.standard_error)


def test_the_record_holds_what_the_metrics_are_means_of(flow: NICE) -> None:
    parts = {
        part: torch.full((5, 12), k, dtype=torch.uint8)
        for k, part in enumerate(("training", "validation", "test"))
    }
    found, metrics = measure(flow.float(), parts, CONFIG)
    assert list(found.to_arrays()) == list(parts)
    for part, nats in found.to_arrays().items():
        assert metrics[part]["log_likelihood"].value == pytest.approx(nats.mean())


def test_the_gaussian_baseline_is_that_of_noise_draws(random: torch.Generator) -> None:
    """Within 4 standard errors over draws of the noise; without the noise's term it is far off."""
    training = torch.randint(0, 200, (400, 12), generator=random, dtype=torch.uint8)
    test = torch.randint(0, 200, (30, 12), generator=random, dtype=torch.uint8)
    test[:, 0], training[:, 0] = 0, 0  # a pixel that is always black
    found = baseline(training, {"test": test})["test"]["log_likelihood"].value
    x = (training.double().numpy() + 0.5) / 256
    covariance = np.cov(x.T) + np.eye(12) / (12 * 256**2)
    exact = multivariate_normal(x.mean(0), covariance)
    draws = np.array(
        [exact.logpdf(dequantise(test, random).double().numpy()).mean() for _ in range(400)]
    )
    error = draws.std(ddof=1) / 20
    assert abs(draws.mean() - found) < 4 * error
    middle = exact.logpdf((test.double().numpy() + 0.5) / 256).mean()
    assert abs(draws.mean() - middle) > 20 * error


def test_gaps_are_to_validation() -> None:
    summary = {
        part: {"log_likelihood": Estimate(value, 3.0, 100)}
        for part, value in (("training", 20.0), ("validation", 5.0), ("test", 12.0))
    }
    found = gaps(summary)
    assert found["training_less_validation"].value == 15
    assert found["test_less_validation"] == Estimate(7.0, pytest.approx(18**0.5), 100)
