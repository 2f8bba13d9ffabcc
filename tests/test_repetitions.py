import numpy as np
import pytest
import torch

from nicelab.gradients.repetitions import mean_of, spread_of, variances_of, z_score
from nicelab.statistics import Estimate, mean, standard_deviation

SAMPLES = np.array([1.0, 2.0, 4.0])


def test_what_varies_is_estimated() -> None:
    assert mean_of(SAMPLES) == mean(SAMPLES)
    assert spread_of(SAMPLES) == standard_deviation(SAMPLES)
    assert z_score(SAMPLES) == pytest.approx(mean(SAMPLES).value / mean(SAMPLES).standard_error)


def test_what_does_not_vary_is_exact() -> None:
    alike = np.full(3, 0.1)
    assert mean_of(alike) == Estimate.exact(0.1)
    assert spread_of(alike) == Estimate.exact(0.0)
    assert z_score(alike + [0, 1e-15, 0]) == 0


def test_squared_distances() -> None:
    assert variances_of(torch.tensor([[1.0, 0.0], [3.0, 0.0]])).tolist() == [[1, 0], [1, 0]]
