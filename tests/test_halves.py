"""AdamW on halved weights, against torch's own and against what it would be without the halves."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.optim import AdamW

from nicelab.likelihood.halves import CHUNK, HalvedWeights, halve, join, multiplied

RATE, DECAY = 1e-3, 0.5


def test_halves_join_to_the_same_bits() -> None:
    """Ties and both signs included: a lower half of −2¹⁵ belongs to the next upper half."""
    bits = torch.tensor([0x3F808000, 0x3F807FFF, 0x3F808001, 0xBF808000 - 2**32, 0])
    for weight in (bits.to(torch.int32).view(torch.float32), torch.randn(1000)):
        upper, lower = halve(weight)
        assert upper.dtype == torch.bfloat16
        assert torch.equal(join(upper, lower), weight)
        assert ((upper - weight).abs() <= 2**-8 * weight.abs()).all()


def trained(steps: int, gradient: float = 1e-2) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The weights at the start and after some steps, and the gradients on the way."""
    layer = nn.Linear(300, 200, bias=False)
    optimiser = AdamW(layer.parameters(), lr=RATE, weight_decay=DECAY)
    start = layer.weight.detach().clone()
    halves = HalvedWeights(multiplied(layer), optimiser)
    slopes = [gradient * torch.randn(200, 300).bfloat16() for _ in range(steps)]
    for slope in slopes:
        (layer.weight * slope).sum().backward()
        assert layer.weight.grad is None
    return start, halves.whole(layer.weight), slopes


def test_one_step_is_that_of_torch() -> None:
    start, end, slopes = trained(1)
    weight = nn.Parameter(start.clone())
    weight.grad = slopes[0].float()
    AdamW([weight], lr=RATE, weight_decay=DECAY).step()
    torch.testing.assert_close(end, weight.detach(), rtol=1e-6, atol=1e-8)


def test_many_steps_are_those_of_torch_but_for_the_moments_bits() -> None:
    """In 50 steps of 1e-3 a first moment with 8 bits costs less than 1 % of the way."""
    start, end, slopes = trained(50)
    weight = nn.Parameter(start.clone())
    optimiser = AdamW([weight], lr=RATE, weight_decay=DECAY)
    for slope in slopes:
        weight.grad = slope.float()
        optimiser.step()
    way, error = (weight - start).norm(), (weight - end).norm()
    assert error < 0.01 * way


def test_small_steps_are_not_lost() -> None:
    """With upper halves alone, steps of 1e-6 on weights near 1 would change nothing at all."""
    layer = nn.Linear(20, 20, bias=False)
    nn.init.ones_(layer.weight)
    optimiser = AdamW(layer.parameters(), lr=1e-6, weight_decay=0.0)
    halves = HalvedWeights(multiplied(layer), optimiser)
    for _ in range(100):
        layer.weight.sum().backward()
    moved = 1 - halves.whole(layer.weight)
    assert torch.equal(layer.weight.detach().float(), torch.ones(20, 20))
    torch.testing.assert_close(moved, torch.full((20, 20), 1e-4), rtol=0.05, atol=0)


def test_a_step_of_no_length_keeps_every_bit() -> None:
    """Of ties too, which halve upwards."""
    layer = nn.Linear(2, 1, bias=False)
    ties = torch.tensor([[0x3F808000, 0x3F818000]], dtype=torch.int32).view(torch.float32)
    layer.weight.data = ties.clone()
    halves = HalvedWeights(multiplied(layer), AdamW(layer.parameters(), lr=0.0))
    layer.weight.sum().backward()
    assert torch.equal(halves.whole(layer.weight), ties)


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 1])
def test_every_weight_moves(size: int) -> None:
    """However many, and so whatever is left for the last thread."""
    layer = nn.Linear(size, 1, bias=False)
    halves = HalvedWeights(multiplied(layer), AdamW(layer.parameters(), lr=RATE))
    before = halves.whole(layer.weight)
    layer.weight.sum().backward()
    assert (halves.whole(layer.weight) < before).all()


def test_goes_on_from_its_state() -> None:
    """Also where the rate changes afterwards."""

    def layer() -> tuple[nn.Linear, AdamW, HalvedWeights]:
        layer = nn.Linear(30, 20, bias=False)
        optimiser = AdamW(layer.parameters(), lr=RATE)
        return layer, optimiser, HalvedWeights(multiplied(layer), optimiser)

    one, two = layer(), layer()
    for step in range(6):
        if step == 3:
            for part, other in zip(two, one, strict=True):
                part.load_state_dict(other.state_dict())
        slope = torch.randn(20, 30).bfloat16()
        for linear, optimiser, _ in (one, two):
            optimiser.param_groups[0]["lr"] = RATE / (1 + step)
            (linear.weight * slope).sum().backward()
        same = torch.equal(*(halves.whole(linear.weight) for linear, _, halves in (one, two)))
        assert same == (step >= 3)


def test_the_rate_of_the_moment_holds() -> None:
    layer = nn.Linear(4, 4, bias=False)
    optimiser = AdamW(layer.parameters(), lr=RATE, weight_decay=0.0)
    halves = HalvedWeights(multiplied(layer), optimiser)
    before = halves.whole(layer.weight)
    optimiser.param_groups[0]["lr"] = 0.0
    layer.weight.sum().backward()
    assert torch.equal(halves.whole(layer.weight), before)


def test_the_end_leaves_plain_weights() -> None:
    layer = nn.Linear(4, 4)
    optimiser = AdamW(layer.parameters(), lr=RATE)
    before = layer.weight.detach().clone()
    halves = HalvedWeights(multiplied(layer), optimiser)
    assert layer.weight.dtype == torch.bfloat16
    halves.end()
    assert torch.equal(layer.weight.detach(), before)
    layer(torch.ones(4)).sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_shows(value: float) -> None:
    layer = nn.Linear(4, 4, bias=False)
    optimiser = AdamW(layer.parameters(), lr=RATE)
    halves = HalvedWeights(multiplied(layer), optimiser)
    (layer.weight * value).sum().backward()
    assert not halves.whole(layer.weight).isfinite().any()
