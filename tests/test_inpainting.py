import pytest
import torch

from nicelab import inpainting
from nicelab.errors import InputError
from nicelab.images import PIXELS
from nicelab.inpainting import Box, Inpainting, ascend, compare, hidden_pixels, project
from nicelab.nice import NICE, Architecture

SHEET = Box(rows=[5, 11], columns=[5, 19])
CONFIG = Inpainting(image=2, images=3, box=SHEET, fill=1.0, steps=5, step_size=1e-3)
HALF = torch.tensor([True, False] * 6)


def test_projection_onto_problem_2s_segment(random: torch.Generator) -> None:
    """Π(y) = (a, min(max(y₂, 0), 1)), and no other point of the segment is nearer."""
    hidden, a = torch.tensor([False, True]), 0.3
    observed = torch.tensor([a, 7.0], dtype=torch.float64)
    for y in 2 * torch.randn(50, 2, generator=random, dtype=torch.float64):
        projected = project(y, observed, hidden)
        assert projected.tolist() == [a, min(max(float(y[1]), 0), 1)]
        t = torch.linspace(0, 1, 101, dtype=torch.float64)
        segment = torch.stack([torch.full_like(t, a), t], dim=-1)
        assert torch.dist(y, projected) <= (segment - y).norm(dim=-1).min() + 1e-12


def test_the_sheets_box() -> None:
    hidden = hidden_pixels(SHEET).view(28, 28)
    assert hidden.sum() == 7 * 15
    assert hidden[5:12, 5:20].all()


@pytest.mark.parametrize("method", inpainting.METHODS)
def test_observed_pixels_come_back_bit_for_bit(flow: NICE, method: str) -> None:
    start = torch.rand(4, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    done = ascend(flow, start, HALF, 20, 1e-2, method)
    assert torch.equal(done.images[:, ~HALF], start[:, ~HALF])
    assert (done.images[:, HALF] != start[:, HALF]).any()
    assert done.images.min() >= 0
    assert done.images.max() <= 1
    assert done.log_likelihood.shape == (21, 4)


def test_a_reversed_mask_would_be_seen(flow: NICE) -> None:
    start = torch.full((1, 12), 0.5, dtype=torch.float64)
    done = ascend(flow, start, ~HALF, 5, 1e-2, "gradient_zeroed")
    assert not torch.equal(done.images[:, ~HALF], start[:, ~HALF])


def test_a_slow_loop_takes_the_same_steps(flow: NICE) -> None:
    """The sheet's loop: a buffer that is, or is not, set to zero before each backward pass."""
    start = torch.full((1, 12), 0.5, dtype=torch.float64)
    for method in inpainting.METHODS:
        x = start.clone().requires_grad_(True)
        for _ in range(10):
            if method == "gradient_zeroed":
                x.grad = None
            (-flow.log_prob(x)).sum().backward()
            with torch.no_grad():
                stepped = (x - 1e-2 * x.grad).clamp(0, 1)
                stepped[:, ~HALF] = start[:, ~HALF]
                x.copy_(stepped)
        done = ascend(flow, start, HALF, 10, 1e-2, method)
        torch.testing.assert_close(done.images, x.detach())
    others = [ascend(flow, start, HALF, 10, 1e-2, m).images for m in inpainting.METHODS]
    assert not torch.allclose(*others)


def test_ascent_raises_the_likelihood(flow: NICE) -> None:
    start = torch.full((3, 12), 0.5, dtype=torch.float64)
    trace = ascend(flow, start, HALF, 50, 1e-3, "gradient_zeroed").log_likelihood
    assert (trace.diff(dim=0) >= -1e-9).all()


def test_ascent_reaches_the_mode_of_a_known_density() -> None:
    """With couplings at the identity, the mode of log p is at mean, whatever is observed."""
    model = NICE(12, Architecture(couplings=2, hidden=4, depth=1)).double()
    centre = torch.full((12,), 0.4, dtype=torch.float64)
    model.initialise(centre, 0.2 * torch.ones(12), torch.Generator().manual_seed(0))
    start = torch.ones(1, 12, dtype=torch.float64)
    done = ascend(model, start, HALF, 2000, 1e-3, "gradient_zeroed").images
    torch.testing.assert_close(done[0, HALF], centre[HALF], atol=1e-6, rtol=0)
    printed = ascend(model, start, HALF, 2000, 1e-3, "as_printed").images
    assert (printed[0, HALF] - 0.4).abs().max() > 0.01  # a heavy ball does not settle


def test_bad_calls(flow: NICE) -> None:
    start = torch.zeros(1, 12, dtype=torch.float64)
    with pytest.raises(ValueError, match="method must be one of as_printed, gradient_zeroed"):
        ascend(flow, start, HALF, 1, 1e-3, "newton")
    with pytest.raises(ValueError, match="hides no pixel"):
        ascend(flow, start, torch.zeros(12, dtype=torch.bool), 1, 1e-3, "as_printed")


@pytest.mark.parametrize("span", [[5, 3], [-1, 3], [5, 28], [5], [1, 2, 3]])
def test_bad_boxes(span: list[int]) -> None:
    with pytest.raises(ValueError, match="rows"):
        Box(rows=span, columns=[0, 1])


@pytest.fixture(scope="module")
def comparison() -> tuple[dict, dict]:
    model = NICE(PIXELS, Architecture(couplings=2, hidden=4, depth=1)).requires_grad_(False)
    test = torch.rand(5, PIXELS, generator=torch.Generator().manual_seed(0))
    return compare(model, test, CONFIG)


def test_comparison(comparison: tuple[dict, dict]) -> None:
    pictures, metrics = comparison
    assert metrics["hidden_pixels"] == 105
    assert metrics["truth"]["squared_error"].value == 0
    assert (pictures["corrupted"][pictures["hidden"]] == 1).all()
    printed, zeroed = (metrics["methods"][m]["squared_error"] for m in inpainting.METHODS)
    difference = metrics["squared_error_zeroed_less_printed"]
    assert difference.value == pytest.approx(zeroed.value - printed.value, abs=1e-7)
    assert difference.n == printed.n == 3


@pytest.mark.parametrize(("name", "value"), [("image", 5), ("images", 6)])
def test_too_few_test_images(name: str, value: int) -> None:
    model = NICE(PIXELS, Architecture(couplings=1, hidden=2, depth=1))
    config = CONFIG.model_copy(update={name: value})
    with pytest.raises(InputError, match=rf"inpaint\.{name} must be <=? the 5 test images"):
        compare(model, torch.rand(5, PIXELS), config)
