"""What one teaches with: answers that print themselves, examples that run, clear mistakes."""

import doctest
from pathlib import Path

import numpy as np
import pytest
import torch

from nicelab import lab
from nicelab.errors import InputError
from nicelab.flows import checkpoint
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.gradients.estimators import ESTIMATORS, Estimator
from nicelab.images.levels import dequantise
from nicelab.images.shapes import MNIST
from nicelab.importance.gambler import Gambler, outcome
from nicelab.importance.proposals import Doob
from nicelab.streams import generator
from nicelab.teaching import games, gradients, models

TINY = Architecture(family="nice", couplings=2, hidden=4, depth=1)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    flow = NICE(784, TINY)
    flow.standardise(torch.full((784,), 0.5), torch.full((784,), 0.2), generator(0)).finish()
    checkpoint.save(tmp_path / "nice.safetensors", flow, TINY, MNIST, "noise")
    return tmp_path / "nice.safetensors"


@pytest.mark.parametrize("module", [games, gradients, models])
def test_examples_in_docstrings_say_what_they_give(module: object, trained: Path) -> None:
    found = doctest.testmod(module, extraglobs={"trained": trained, "np": np})
    assert found.attempted > 0
    assert found.failed == 0


def test_images_of_any_usual_shape_have_the_same_likelihood(trained: Path) -> None:
    model = lab.load(trained)
    levels = np.random.default_rng(0).integers(0, 256, (3, 28, 28))
    expected = model.log_prob(levels, draws=5)
    for images in (
        levels.reshape(3, 784),
        levels[:, None].astype(np.uint8),
        levels / 255,
        torch.tensor(levels / 255).float(),
    ):
        assert model.log_prob(images, draws=5) == expected
    assert model.log_prob(levels[0], draws=5) == expected[:1]
    x = dequantise(
        torch.tensor(levels[:1], dtype=torch.uint8).view(1, 784).expand(5, -1),
        generator(0, "noise"),
    )
    assert expected[0].value == pytest.approx(float(model.flow.log_likelihoods(x).mean()))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 27, 28)), r"images must be of shape .* got \(3, 27, 28\)"),
        (np.zeros(784), r"got \(784,\)"),
        (np.full((28, 28), 2.0), r"float64 images must be in \[0, 1\], got 2 to 2"),
        (np.full((28, 28), 256), r"images must be in \[0, 255\]"),
        (np.full((28, 28), np.nan), r"images must be in \[0, 1\]"),
    ],
)
def test_other_images_are_refused(trained: Path, images: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        lab.load(trained).log_prob(images)


def test_a_training_without_end_or_width_is_refused() -> None:
    images = np.zeros((20, 28, 28))
    with pytest.raises(InputError, match="epochs and hidden must be at least 1, got 0 and 200"):
        lab.train(images, epochs=0)
    with pytest.raises(InputError, match="images must be at least 20, got 19"):
        lab.train(images[:19])


def test_a_number_a_table_a_function_and_a_proposal_are_the_same_game() -> None:
    small = {"start": 5, "target": 10, "plays": 40, "p": 0.4, "paths": 1000}
    one = lab.gambler(0.55, **small)
    for q in (
        np.full((40, 11), 0.55),
        lambda play, chips: 0.55,
        lambda play, chips: 0.55 + 0 * chips,
    ):
        assert lab.gambler(q, **small) == one
    exact = outcome(Gambler(start=5, target=10, plays=40, p=0.4)).probability
    assert one.truth == exact
    assert abs(one.z_score(exact)) < 4
    assert lab.gambler(Doob(), **small).standard_error < 1e-9


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"start": -1}, "start must be greater than or equal to 0, got -1"),
        ({"p": 2}, "p must be less than or equal to 1, got 2"),
        ({"paths": 0, "seed": -1}, "paths must be .* got 0; seed must be .* got -1"),
        ({"q": "half"}, "q must be a number, a table of numbers, .* got 'half'"),
    ],
)
def test_what_is_no_game_is_told_on_one_line(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        lab.gambler(**{"q": 0.55, **given})


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"p": 0}, 0),
        ({"p": 1}, 1),
        ({"p": 1, "plays": 99}, 0),
        ({"start": 0}, 0),
        ({"start": 0, "p": 1}, 0),
        ({"start": 200}, 1),
        ({"start": 300, "p": 0}, 1),
        ({"plays": 99}, 0),
        ({"plays": 0}, 0),
    ],
)
def test_where_nothing_is_left_to_chance_the_answer_is_exact(
    given: dict[str, float], answer: int
) -> None:
    found = lab.gambler(0.55, **given)
    assert (found.value, found.standard_error, found.truth) == (answer, 0, answer)


def test_it_is_the_limit_of_games_that_are_played() -> None:
    for p, answer in ((1e-9, 0), (1 - 1e-9, 1)):
        exact = outcome(Gambler(start=100, target=200, plays=600, p=p)).probability
        assert exact == pytest.approx(answer, abs=1e-6)


def test_numbers_of_numpy_are_numbers() -> None:
    plain = lab.gambler(0.55, paths=100, seed=1)
    assert lab.gambler(np.float32(0.55), paths=np.int64(100), seed=np.uint8(1)).n == plain.n


def test_what_is_biased_or_says_nothing_is_told() -> None:
    with pytest.raises(InputError, match="is biased"):
        lab.gambler(lambda play, chips: np.where(chips < 150, 0.6, 1.0))
    assert "no path reached the target" in repr(lab.gambler(18 / 37))


def test_gradients_within_4_standard_errors_and_their_names() -> None:
    found = lab.gradients(mu=0.3, sigma=0.7)
    assert [x.label for x in found] == [x.label for x in ESTIMATORS.values()]
    for x, estimator in zip(found, ESTIMATORS.values(), strict=True):
        if estimator.unbiased:
            assert abs(x.by_mu.value - x.by_mu.truth) < 4 * x.by_mu.standard_error
    mine = Estimator("mine", ESTIMATORS["score"].terms, 1)
    assert lab.gradients(mine, mu=0.3, sigma=0.7)[0].variance == pytest.approx(found[2].variance)


def test_sigma_is_no_logarithm() -> None:
    with pytest.raises(InputError, match=r"sigma must be > 0 \(it is σ, not log σ\) .*, got -1"):
        lab.gradients("score", mu=0.0, sigma=-1)
    with pytest.raises(InputError, match="estimators must be of score_as_printed, .* got 'sc"):
        lab.gradients("scores", mu=0.0, sigma=1)
    with pytest.raises(TypeError):
        lab.gradients("score", 0.0, 1.0)
