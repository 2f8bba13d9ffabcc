import numpy as np
import pytest
import torch
from torch.linalg import slogdet

from conftest import randomise
from nicelab.flows import claims
from nicelab.flows.claims import Convolution, check, jacobian_log_abs_det, summarise
from nicelab.flows.convolution import (
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
    layer = ConvolutionalCoupling(3, 20, 8, torch.float64).initialise(random)
    x = torch.randn(4, 6, 4, 5, generator=random, dtype=torch.float64)
    z, ladj = layer(x)
    torch.testing.assert_close(layer.inverse(z), x)
    assert torch.equal(z[:, :3], x[:, :3])
    assert ladj.shape == (4,)
    torch.testing.assert_close(ladj[2], layer(x[2])[1])


def test_shapes_of_a_batch_with_factors_of_its_own(random: torch.Generator) -> None:
    s = torch.rand(4, 3, generator=random) + 0.5
    L, U = torch.randn(2, 4, 3, 3, generator=random)
    x = torch.randn(4, 3, 2, 5, generator=random)
    y, ladj = convolve(x, torch.eye(3), L, U, s)
    assert y.shape == x.shape
    torch.testing.assert_close(ladj, 10 * s.log().sum(-1))
    assert claims.log_abs_det(s).shape == (4,)
