"""Where ascents move: the map there and back, and its density."""

import pytest
import torch
from torch import Tensor
from torch.func import jacrev

from conftest import randomise
from imports import FAMILIES
from nicelab.flows.flow import Flow
from nicelab.inpainting.ascent_study import GREY, Ascending, Ours
from nicelab.inpainting.chart import Chart
from nicelab.inpainting.corrupted import Corrupted
from nicelab.streams import generator
from small import DIMENSIONS, small

CONFIG = Ascending(
    images=2,
    steps=30,
    step_size={"grey": 0.05, "gaussian": 0.05},
    tolerance=0.1,
    samples=200,
    sheet={"mask": "a", "steps": 1, "step_size": 1e-3, "fill": 1.0},
    published=2,
    seed=0,
)


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest) -> Flow:
    """A small random flow of each family in float64."""
    levels = torch.randint(0, 256, (300, DIMENSIONS), generator=generator(1))
    levels *= torch.rand(levels.shape, generator=generator(2)) < 0.5
    flow = small(request.param).double().initialise(levels.byte(), generator(3))
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=generator(4)))
    flow.finish()
    return flow.requires_grad_(False)


def pictures(count: int) -> Tensor:
    x = torch.rand(count, DIMENSIONS, generator=generator(5), dtype=torch.float64)
    return torch.where(torch.rand(x.shape, generator=generator(6)) < 0.5, x / 256, x)


def test_black_is_0_white_is_1_and_back(model: Flow) -> None:
    chart, x = Chart(model), pictures(50)
    torch.testing.assert_close(chart.back(chart.to(x)), x)
    for end in (0.0, 1.0):
        assert (chart.to(torch.full_like(x, end)) == end).all()
    order = x.sort(0).values
    assert (chart.to(order).diff(dim=0) >= 0).all()


def test_a_flow_whose_coordinates_are_pixels_moves_in_pixels(random: torch.Generator) -> None:
    flow = small("nice")
    randomise(flow, random)
    x = pictures(50).float()
    assert torch.equal(Chart(flow).to(x), x)
    assert torch.equal(Chart(flow).back(x), x)
    assert torch.equal(Chart(flow).log_prob(x), flow.log_prob(x))


def test_its_density_is_that_of_pixels_by_the_slopes(model: Flow) -> None:
    chart, x = Chart(model), pictures(3)
    for one in x:
        slopes = jacrev(model.coordinates)(one).diagonal()
        torch.testing.assert_close(
            chart.log_prob(chart.to(one)), model.log_prob(one) - slopes.log().sum()
        )


def test_ascents_climb_and_keep_what_is_observed(model: Flow) -> None:
    ours, x = Ours(model, CONFIG), pictures(4)
    hidden = torch.zeros(1, DIMENSIONS, dtype=torch.bool)
    hidden[:, ::3] = True
    corrupted = Corrupted.hide(x, hidden)
    first, *_, last = ours.ascend(corrupted, corrupted.fill(GREY), "grey")
    assert (last.log_prob > first.log_prob).all()
    assert (last.residual < first.residual).all()
    assert (first.x[0][:, hidden[0]] - GREY).abs().max() < 1e-9
    assert torch.equal(last.x[0][:, ~hidden[0]], x[:, ~hidden[0]])
    assert ((last.x >= 0) & (last.x <= 1)).all()
    chart = Chart(model)
    torch.testing.assert_close(last.log_prob, chart.log_prob(chart.to(last.x)))
