from pathlib import Path

import numpy as np
import pytest
import torch

from nicelab.errors import InputError
from nicelab.images.shapes import MNIST
from nicelab.inpainting.classifier import Classifier, Recipe, load, save, train
from nicelab.pipeline.artifacts import write_weights
from small import image_set

RECIPE = Recipe(epochs=8, batch=20, learning_rate=1e-2, seed=0)


@pytest.fixture(scope="module")
def squares() -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy images whose bright square says which of ten they are."""
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 10
    images = 0.2 * torch.rand(200, 28, 28, generator=random)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 5)
        image[14 * row : 14 * row + 5, 5 * column : 5 * column + 5] = 1
    return images.flatten(1), labels


def test_it_learns_and_is_deterministic(squares: tuple[torch.Tensor, torch.Tensor]) -> None:
    one, two = (train(*squares, Classifier(MNIST, 10), RECIPE) for _ in range(2))
    images, labels = squares
    assert (one.classify(images) == labels).double().mean() > 0.95
    assert torch.equal(one.classify(images.view(4, 50, 784)).flatten(), one.classify(images))
    for first, second in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(first, second)
    shuffled = train(images, labels.roll(1), Classifier(MNIST, 10), RECIPE)
    assert (shuffled.classify(images) == labels).double().mean() < 0.2


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    model = Classifier(MNIST, 10)
    data = image_set(np.zeros((2, 784), np.uint8), labels=np.zeros(2))
    save(tmp_path / "c.safetensors", model, data)
    again = load(tmp_path / "c.safetensors", torch.device("cpu"))
    x = torch.rand(5, 784)
    assert torch.equal(model(x), again(x))
    write_weights(tmp_path / "other.safetensors", {}, {})
    with pytest.raises(InputError, match=r"other.safetensors is not the classifier"):
        load(tmp_path / "other.safetensors", torch.device("cpu"))
