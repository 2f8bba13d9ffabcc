import numpy as np
import pytest
import torch
from scipy import stats

from nicelab.flows.families.nice import NICE, Architecture
from nicelab.flows.families.nice.logistic import Logistic
from nicelab.images.levels import dequantise
from nicelab.images.shapes import MNIST
from nicelab.likelihood.diagnostics import Diagnosis, diagnose, distances_from, other_images
from nicelab.streams import generator
from small import image_set

CONFIG = Diagnosis(images=20, seed=0)
DIMENSIONS = 784


@pytest.fixture
def levels(random: torch.Generator) -> torch.Tensor:
    return torch.randint(0, 256, (60, DIMENSIONS), generator=random, dtype=torch.uint8)


def test_logistic_columns_pass_and_others_do_not() -> None:
    """p-values of logistic columns are uniform (itself a KS test); those of others are small."""
    rng = np.random.default_rng(0)
    z = rng.logistic(size=(2000, 300))
    distances, pvalues = distances_from(Logistic(), z)
    assert stats.kstest(pvalues, "uniform").pvalue > 1e-3
    one = stats.kstest(z[:, 5], "logistic")
    assert distances[5] == pytest.approx(one.statistic)
    assert (distances_from(Logistic(), 1.2 * z)[1] < 0.01).mean() > 0.9
    assert (distances_from(Logistic(), rng.normal(size=(2000, 300)))[1] < 0.01).all()


def test_other_images_are_what_they_are_called(levels: torch.Tensor) -> None:
    kinds = other_images(levels, MNIST, levels.flip(0), CONFIG)
    assert list(kinds) == ["digits", "shifted", "inverted", "uniform", "black"]
    assert all(images.shape == (20, DIMENSIONS) for images in kinds.values())
    first, shifted = levels[0].view(28, 28), kinds["shifted"][0].view(28, 28)
    assert torch.equal(shifted[:, 1:], first[:, :-1])
    assert torch.equal(kinds["inverted"][3], 255 - levels[3])
    assert kinds["black"].max() == 0
    # Uniform levels 0–255: mean 127.5, standard deviation 73.9; within 4 standard errors.
    error = 73.9 / (20 * DIMENSIONS) ** 0.5
    assert abs(float(kinds["uniform"].float().mean()) - 127.5) < 4 * error
    assert "digits" not in other_images(levels, MNIST, None, CONFIG)


def test_diagnosis(levels: torch.Tensor, random: torch.Generator) -> None:
    model = NICE(DIMENSIONS, Architecture(family="nice", couplings=2, hidden=4, depth=1))
    spread = 256 / 12**0.5 / 256
    model.standardise(
        torch.full((DIMENSIONS,), 0.5), torch.full((DIMENSIONS,), spread), random
    ).requires_grad_(False)
    labels = np.arange(60) % 10
    found, metrics = diagnose(model, image_set(levels.numpy(), labels=labels), None, CONFIG)
    for digit in range(10):
        mean = metrics["by_class"][str(digit)]["log_likelihood"]
        assert mean.value == pytest.approx(found.test[labels == digit].mean())
        assert mean.n == 6
    # Uniform levels are uniform levels: as likely as the test images, within 4 standard errors.
    uniform = metrics["other_images"]["uniform"]["share_above_the_median_test_image"]
    assert abs(uniform.z_score(0.5)) < 4
    assert metrics["other_images"]["black"]["share_above_the_median_test_image"].value == 0
    assert list(metrics["labels"]["images"]) == ["test", *found.other]
    assert metrics["labels"]["prior"] == "logistic"
    with torch.no_grad():
        z = model(dequantise(levels, generator(CONFIG.seed, "test")))[0].numpy()
    exact = [stats.kstest(column, "logistic").statistic for column in z.T]
    np.testing.assert_allclose(found.distances, exact)
    np.testing.assert_allclose(found.latent_percentiles[:, 49], np.median(z, 0), atol=1e-6)
    assert found.latent_percentiles.shape == (DIMENSIONS, 99)
