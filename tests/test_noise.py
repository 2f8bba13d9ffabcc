from collections.abc import Callable

import pytest
import torch
from scipy import stats

from nicelab.gradients.noise import Antithetic, Independent, Noise, Sobol, Stratified, normal
from nicelab.streams import generator

LIKE = torch.zeros((), dtype=torch.float64)
KINDS = [Independent(), Antithetic(), Stratified(), Sobol()]


@pytest.mark.parametrize("noise", KINDS, ids=lambda noise: type(noise).__name__)
@pytest.mark.parametrize("row", [0, 7])
def test_each_row_is_standard_normal(noise: Noise, row: int) -> None:
    """Over independent batches, by Kolmogorov–Smirnov."""
    y = noise.draw((5000, 8, 3), generator(0))
    assert y.shape == (5000, 8, 3)
    for d in range(3):
        assert stats.kstest(y[:, row, d].numpy(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("noise", KINDS, ids=lambda noise: type(noise).__name__)
@pytest.mark.parametrize("batch", [4, 16])
@pytest.mark.parametrize("g", [torch.sin, torch.cos, lambda y: y**3])
def test_exact_variance_of_a_mean(
    noise: Noise, batch: int, g: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    """Within 4 standard errors of a sample variance."""
    y = noise.draw((20_000, batch, 1), generator(1))
    means = g(y[..., 0]).mean(-1)
    squares = (means - means.mean()) ** 2
    exact = float(noise.variance(g, batch, y)) / batch
    error = float(squares.std()) / 20_000**0.5
    assert abs(float(squares.mean()) - exact) < 4 * error + 1e-12


def test_variance_of_simple_functions() -> None:
    """Var(Y²) = 2; odd functions cancel in pairs, even ones count double."""
    square, line = (lambda y: y**2), (lambda y: y)
    assert float(Independent().variance(square, 8, LIKE)) == pytest.approx(2)
    assert float(Antithetic().variance(square, 8, LIKE)) == pytest.approx(4)
    assert float(Antithetic().variance(line, 8, LIKE)) == pytest.approx(0, abs=1e-12)
    assert float(Stratified().variance(line, 1, LIKE)) == pytest.approx(1)
    assert float(Stratified().variance(line, 8, LIKE)) < 0.2


def test_stratified_noise_has_a_row_in_each_interval() -> None:
    y = Stratified().draw((3, 8, 2), generator(0))
    u = torch.special.ndtr(y).mul(8).floor().sort(-2).values
    assert torch.equal(u, torch.arange(8.0, dtype=torch.float64)[:, None].expand(3, 8, 2))


def test_a_shifted_net_keeps_its_distances() -> None:
    u = torch.special.ndtr(Sobol().draw((2, 8, 1), generator(0)))[..., 0]
    gaps = u.sort(-1).values.diff(dim=-1)
    torch.testing.assert_close(gaps, torch.full_like(gaps, 1 / 8))
    assert not torch.allclose(u[0], u[1])


@pytest.mark.parametrize("noise", KINDS, ids=lambda noise: type(noise).__name__)
def test_single_precision_is_finite_at_the_ends(noise: Noise) -> None:
    y = noise.draw((2000, 8, 2), generator(0), torch.float32)
    assert y.dtype == torch.float32
    assert y.isfinite().all()
    ends = torch.tensor([0.0, 1.0])
    assert normal(ends).isfinite().all()
    assert not torch.special.ndtri(ends).isfinite().any()
