import numpy as np
import pytest
import torch
from torch.func import jacrev
from torch.linalg import slogdet

from conftest import randomise
from nicelab.flows import claims
from nicelab.flows.claims import Convolution, check, jacobian_log_abs_det, summarise
from nicelab.flows.families.glow.convolution import (
    ConvolutionalCoupling,
    InvertibleConvolution,
    assemble,
    convolve,
    log_abs_det,
)
from nicelab.flows.records import Cases

SIZES = [
    Convolution(channels=c, height=m, width=n, cases=3, seed=0)
    for c, m, n in ((1, 1, 1), (2, 3, 1), (4, 2, 3))
]
CLAIMS = ("determinant", "reshape", "convolution", "coupling")


@pytest.mark.parametrize("size", SIZES)
def test_every_claim_holds_at_every_size(size: Convolution) -> None:
    found, metrics = check(size)
    assert tuple(found.cases) == tuple(metrics["labels"]["claims"]) == CLAIMS
    for claim, cases in found.cases.items():
        np.testing.assert_allclose(cases.formula, cases.autograd, rtol=1e-9, atol=1e-10)
        assert metrics[claim]["largest_absolute_error"].value < 1e-9


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_cases_can_tell_a_wrong_formula(claim: str) -> None:
    """No claim is checked on log-determinants that are all near 0."""
    assert np.abs(check(SIZES[-1])[0].cases[claim].autograd).min() > 0.01


@pytest.mark.parametrize("claim", ["reshape", "convolution", "coupling"])
def test_without_the_number_of_positions_the_formula_fails(claim: str) -> None:
    cases = check(SIZES[-1])[0].cases[claim]
    assert (np.abs(cases.formula / 6 - cases.autograd) > 0.01).all()


def test_summary_states_the_largest_error() -> None:
    cases = Cases(formula=np.array([1.0, 2.0]), autograd=np.array([1.0, 2.5]))
    assert summarise(cases)["largest_absolute_error"].value == 0.5


def test_determinant_is_that_of_the_matrix(random: torch.Generator) -> None:
    P = torch.eye(5, dtype=torch.float64)[torch.randperm(5, generator=random)]
    L, U = torch.randn(2, 5, 5, generator=random, dtype=torch.float64)
    s = torch.randn(5, generator=random, dtype=torch.float64)
    torch.testing.assert_close(log_abs_det(s), slogdet(assemble(P, L, U, s)).logabsdet)


def test_convolution_is_that_of_torch(random: torch.Generator) -> None:
    layer = InvertibleConvolution(3, torch.float64).initialise(random)
    x = torch.randn(2, 3, 4, 5, generator=random, dtype=torch.float64)
    A = assemble(*layer.factors())
    torch.testing.assert_close(layer(x)[0], torch.nn.functional.conv2d(x, A[..., None, None]))


def test_starts_as_a_rotation_and_stays_invertible(random: torch.Generator) -> None:
    layer = InvertibleConvolution(6, torch.float64).initialise(random)
    A = assemble(*layer.factors())
    torch.testing.assert_close(A @ A.mT, torch.eye(6, dtype=torch.float64))
    randomise(layer, random)
    x = torch.randn(2, 6, 4, 5, generator=random, dtype=torch.float64)
    y, ladj = layer(x)
    torch.testing.assert_close(layer.inverse(y), x)
    exact = jacobian_log_abs_det(lambda v: layer(v)[0], x[0])
    torch.testing.assert_close(ladj, exact)
    assert {name for name, _ in layer.named_parameters()} == {"L", "U", "log_s"}


def test_coupling_inverse_and_batch(random: torch.Generator) -> None:
    layer = ConvolutionalCoupling(3, 20, 8, torch.float64).initialise(random, spread=1.0)
    x = torch.randn(4, 6, 4, 5, generator=random, dtype=torch.float64)
    z, ladj = layer(x)
    torch.testing.assert_close(layer.inverse(z), x)
    assert torch.equal(z[:, :3], x[:, :3])
    assert ladj.shape == (4,)
    torch.testing.assert_close(ladj[2], layer(x[2])[1])


def blocks(layer: ConvolutionalCoupling, x: torch.Tensor) -> list[list[torch.Tensor]]:
    """Halves of the Jacobian: rows are of the output's first and second half."""
    jacobian = jacrev(lambda v: layer(v.view_as(x))[0].flatten())(x.flatten())
    return [list(rows.chunk(2, dim=1)) for rows in jacobian.chunk(2)]


def test_jacobian_of_the_coupling_is_block_triangular(random: torch.Generator) -> None:
    """The derivatives of L, U and s fill the lower left block, which changes no determinant."""
    layer = ConvolutionalCoupling(3, 8, 16, torch.float64).initialise(random, spread=1.0)
    x = torch.randn(6, 2, 4, generator=random, dtype=torch.float64)
    (upper_left, upper_right), (lower_left, lower_right) = blocks(layer, x)
    x_a, x_b = x.split(3)
    A = assemble(layer.P, *layer._factors(x_a))
    slopes = jacrev(lambda v: assemble(layer.P, *layer._factors(v.view_as(x_a))))(x_a.flatten())
    of_the_factors = torch.einsum("ijv,jp->ipv", slopes, x_b.flatten(1)).flatten(0, 1)
    assert torch.equal(upper_left, torch.eye(24, dtype=torch.float64))
    assert not upper_right.any()
    assert lower_left.abs().max() > 0.1
    torch.testing.assert_close(lower_left, of_the_factors)
    torch.testing.assert_close(lower_right, torch.kron(A, torch.eye(8, dtype=torch.float64)))
    torch.testing.assert_close(slogdet(lower_right).logabsdet, layer(x)[1])


def test_factors_of_the_second_half_break_the_formula(random: torch.Generator) -> None:
    layer = ConvolutionalCoupling(3, 8, 16, torch.float64).initialise(random, spread=1.0)
    x_b = torch.randn(3, 2, 4, generator=random, dtype=torch.float64)

    def wrong(v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return convolve(v, layer.P, *layer._factors(v))

    assert abs(wrong(x_b)[1] - jacobian_log_abs_det(lambda v: wrong(v)[0], x_b)) > 0.1


def test_shapes_of_a_batch_with_factors_of_its_own(random: torch.Generator) -> None:
    s = torch.rand(4, 3, generator=random) + 0.5
    L, U = torch.randn(2, 4, 3, 3, generator=random)
    x = torch.randn(4, 3, 2, 5, generator=random)
    y, ladj = convolve(x, torch.eye(3), L, U, s)
    assert y.shape == x.shape
    torch.testing.assert_close(ladj, 10 * s.log().sum(-1))
    assert claims.log_abs_det(s).shape == (4,)


@pytest.mark.parametrize("asked", [-30.0, -1.0, 0.5, 3.0, 30.0])
def test_conditional_scales_are_cut_smoothly(random: torch.Generator, asked: float) -> None:
    """log s = 2 tanh(asked / 2) for each channel, whatever the network says."""
    layer = ConvolutionalCoupling(3, 8, 16, torch.float64).initialise(random)
    with torch.no_grad():
        layer.network[-1].bias[-3:] = asked
    x = torch.randn(2, 6, 2, 4, generator=random, dtype=torch.float64)
    z, ladj = layer(x)
    expected = 3 * 8 * 2 * np.tanh(asked / 2)
    torch.testing.assert_close(ladj, torch.full_like(ladj, expected))
    torch.testing.assert_close(layer.inverse(z), x)
