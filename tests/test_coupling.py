import pytest
import torch
from torch.func import jacrev

from conftest import randomise
from nicelab.flows.families.nice.coupling import AdditiveCoupling


@pytest.fixture(params=["even", "odd"])
def coupling(request: pytest.FixtureRequest, random: torch.Generator) -> AdditiveCoupling:
    layer = AdditiveCoupling(6, request.param, hidden=8, depth=2).double()
    randomise(layer, random)
    return layer


def test_inverse(coupling: AdditiveCoupling, random: torch.Generator) -> None:
    x = torch.randn(5, 6, generator=random, dtype=torch.float64)
    torch.testing.assert_close(coupling.inverse(coupling(x)), x)
    assert not torch.allclose(coupling(x), x)


def test_volume_is_kept(coupling: AdditiveCoupling, random: torch.Generator) -> None:
    x = torch.randn(6, generator=random, dtype=torch.float64)
    assert torch.linalg.slogdet(jacrev(coupling)(x)).logabsdet.abs() < 1e-12


def test_polarity() -> None:
    """`shifts` names the half that moves, and it is the other half that decides how far."""
    layer = AdditiveCoupling(6, "even", hidden=8, depth=1)
    torch.nn.init.ones_(layer.m[-1].bias)
    torch.nn.init.zeros_(layer.m[-1].weight)
    assert layer(torch.zeros(6)).tolist() == [1, 0, 1, 0, 1, 0]
    assert AdditiveCoupling(6, "odd", 8, 1).shifts == 1


def test_the_shift_depends_on_the_kept_half_alone(
    coupling: AdditiveCoupling, random: torch.Generator
) -> None:
    x = torch.randn(6, generator=random, dtype=torch.float64)
    jacobian = jacrev(coupling)(x) - torch.eye(6, dtype=torch.float64)
    moved, kept = slice(coupling.shifts, None, 2), slice(1 - coupling.shifts, None, 2)
    assert (jacobian[moved, kept] != 0).all()
    assert (jacobian[:, moved] == 0).all()
    assert (jacobian[kept] == 0).all()


def test_starts_as_the_identity(random: torch.Generator) -> None:
    layer = AdditiveCoupling(6, "even", hidden=8, depth=2)
    layer.initialise(random)
    x = torch.randn(5, 6, generator=random)
    assert torch.equal(layer(x), x)


def test_odd_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="must be even to be halved, got 7"):
        AdditiveCoupling(7, "even", 8, 1)
