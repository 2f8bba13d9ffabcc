"""A small classifier, the judge of what a completion looks like."""

from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from tqdm import tqdm

from nicelab.errors import InputError
from nicelab.images import shapes
from nicelab.images.records import ImageSet
from nicelab.images.shapes import Shape
from nicelab.pipeline.artifacts import read_weights, write_weights
from nicelab.pipeline.params import Section
from nicelab.streams import generator

BATCH = 1000  # images at once when nothing is learned


class Recipe(Section):
    """How the classifier is trained."""

    epochs: Annotated[int, Field(ge=1, le=1000)]
    batch: Annotated[int, Field(ge=1, le=1_000_000)]
    learning_rate: Annotated[float, Field(gt=0, le=1e3)]
    seed: Annotated[int, Field(ge=0)]


class Classifier(nn.Module):
    """Two convolutions with pooling and one linear layer; images in [0, 1] to logits.

    Args:
        shape: of an image.
        classes: how many there are.
    """

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.shape = shape
        channels, height, width = shape
        self.layers = nn.Sequential(
            *_block(channels, 16),
            *_block(16, 32),
            nn.Flatten(),
            nn.Linear(32 * -(-height // 4) * -(-width // 4), classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits, shape (n, classes), of images of shape (n, D)."""
        return self.layers(x.view(-1, *self.shape))

    @torch.no_grad()
    def classify(self, x: Tensor) -> Tensor:
        """The likeliest class of each image; shape (*) from (*, D)."""
        parts = x.reshape(-1, x.shape[-1]).split(BATCH)
        return torch.cat([self(part).argmax(-1) for part in parts]).view(x.shape[:-1])


def _block(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)


def train(images: Tensor, labels: Tensor, new: Classifier, recipe: Recipe) -> Classifier:
    """Adam on the cross-entropy, its rate falling to zero along half a cosine.

    Args:
        images: in [0, 1], shape (n, D).
        labels: classes, shape (n,), int64.
        new: the classifier, of whatever weights.
        recipe: the constants.
    """
    model = new.to(images.device)
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


def save(path: Path, model: Classifier | None, data: ImageSet) -> str:
    """Write the weights, none if there are no classes, and on what they were trained.

    Returns:
        MD5 of the file.
    """
    weights = model.state_dict() if model else {}
    tensors = {name: w.cpu().numpy() for name, w in weights.items()}
    header = {
        "dataset": data.name,
        "shape": list(data.of_shape),
        "classes": data.classes.tolist(),
    }
    return write_weights(path, tensors, header)


def load(path: Path, device: torch.device) -> Classifier | None:
    """Read a classifier, frozen; None where there are no classes.

    Raises:
        InputError: the file is damaged, was altered, or is no classifier.
    """
    tensors, header = read_weights(path)
    try:
        if not header["classes"]:
            return None
        model = Classifier(shapes.of(header["shape"]), len(header["classes"]))
        model.load_state_dict({name: torch.from_numpy(w) for name, w in tensors.items()})
    except (RuntimeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path} is not the classifier: make it again with `dvc repro`") from None
    return model.requires_grad_(False).to(device)
