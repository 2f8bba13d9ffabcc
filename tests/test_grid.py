"""The samples at the head of the report: the first of every flow, in their order."""

import numpy as np
import pytest

from nicelab.figures import grid, style
from nicelab.images.shapes import MNIST
from nicelab.likelihood.records import Samples


def made(count: int, seed: int) -> Samples:
    x = np.random.default_rng(seed).random((count, 784))
    none = np.zeros((1, 2, 784))
    return Samples(np.array(MNIST), x, np.ones(1), none, none, none)


@pytest.mark.parametrize("count", [4, 64])
def test_the_first_samples_of_each_flow(count: int) -> None:
    found = {"a": made(count, 0), "b": made(count, 1)}
    metrics = {family: {"dataset": "MNIST", "flow": family.upper()} for family in found}
    figure = grid.draw(found, metrics)
    assert figure.get_suptitle().endswith("the first samples, none chosen")
    for axes, (family, samples) in zip(figure.axes, found.items(), strict=True):
        assert axes.get_title("left") == family.upper()
        shown = samples.samples[: min(count, 32)]
        expected = style.tile(shown, samples.shape, min(16, count))
        np.testing.assert_array_equal(axes.images[0].get_array(), expected)
