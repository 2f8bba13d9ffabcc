"""A small digit classifier, the judge of what a completion looks like."""

from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from tqdm import tqdm

from nicelab.errors import InputError
from nicelab.images.shapes import SIDE
from nicelab.pipeline.artifacts import read_weights, write_weights
from nicelab.pipeline.params import Section
from nicelab.streams import generator

CLASSES = 10
BATCH = 1000  # images at once when nothing is learned


class Recipe(Section):
    """How the classifier is trained."""

    epochs: Annotated[int, Field(ge=1, le=1000)]
    batch: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0)]
    seed: Annotated[int, Field(ge=0)]


class Classifier(nn.Module):
    """Two convolutions with pooling and one linear layer; images in [0, 1] to logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_block(1, 16),
            *_block(16, 32),
            nn.Flatten(),
            nn.Linear(32 * (SIDE // 4) ** 2, CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits, shape (n, 10), of images of shape (n, 784)."""
        return self.layers(x.view(-1, 1, SIDE, SIDE))

    @torch.no_grad()
    def classify(self, x: Tensor) -> Tensor:
        """The likeliest digit of each image; shape (*) from (*, 784)."""
        parts = x.reshape(-1, x.shape[-1]).split(BATCH)
        return torch.cat([self(part).argmax(-1) for part in parts]).view(x.shape[:-1])


def _block(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)


def train(images: Tensor, labels: Tensor, recipe: Recipe) -> Classifier:
    """Adam on the cross-entropy, its rate falling to zero along half a cosine.

    Args:
        images: in [0, 1], shape (n, 784).
        labels: digits, shape (n,), int64.
        recipe: the constants.
    """
    model = Classifier().to(images.device)
    random = generator(recipe.seed, "weights", device=images.device)
    for layer in model.layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=random)
            nn.init.zeros_(layer.bias)
    steps = recipe.epochs * -(-len(images) // recipe.batch)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    order = generator(recipe.seed, "order")
    with tqdm(total=steps, unit=" steps", disable=None) as bar:
        for _ in range(recipe.epochs):
            for index in torch.randperm(len(images), generator=order).split(recipe.batch):
                chosen = index.to(images.device)
                optimiser.zero_grad()
                F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
                optimiser.step()
                schedule.step()
                bar.update()
    return model.requires_grad_(False)


def save(path: Path, model: Classifier, dataset: str) -> None:
    """Write the weights and the name of the data it was trained on."""
    tensors = {name: w.cpu().numpy() for name, w in model.state_dict().items()}
    write_weights(path, tensors, {"dataset": dataset})


def load(path: Path, device: torch.device) -> Classifier:
    """Read a classifier, frozen.

    Raises:
        InputError: the file is damaged, was altered, or is no classifier.
    """
    tensors, _ = read_weights(path)
    model = Classifier()
    try:
        model.load_state_dict({name: torch.from_numpy(w) for name, w in tensors.items()})
    except RuntimeError:
        raise InputError(f"{path} is not the classifier: make it again with `dvc repro`") from None
    return model.requires_grad_(False).to(device)
