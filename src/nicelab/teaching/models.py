"""A trained flow on images of any usual shape."""

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike

from nicelab.errors import InputError
from nicelab.flows import checkpoint
from nicelab.flows.families.nice import NICE, Architecture
from nicelab.flows.flow import Flow
from nicelab.flows.names import names
from nicelab.images.datasets import scikit_digits
from nicelab.images.levels import LEVELS, dequantise, grey
from nicelab.images.shapes import MNIST, Shape
from nicelab.likelihood.progress import TrainingProgress
from nicelab.likelihood.recipe import Training
from nicelab.likelihood.training import Run
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator
from nicelab.teaching.answer import Answer

FEWEST = 20  # images
RECIPE = Training(
    epochs=1,
    batch=50,
    learning_rate=1e-3,
    scale_rate=20.0,
    warm_up=0,
    schedule="linear",
    weight_decay=1.0,
    clip=None,
    precision="float32",
    seed=0,
)


class Model:
    """A trained flow and what one does with it.

    Args:
        flow: the flow.
        shape: of its images.
    """

    def __init__(self, flow: Flow, shape: Shape) -> None:
        self.flow, self.shape = flow, shape

    @torch.no_grad()
    def sample(self, count: int, temperature: float = 1.0, seed: int = 0) -> np.ndarray:
        """Draw images.

        Args:
            count: how many.
            temperature: factor of the latents, below 1 for likelier images.
            seed: of the latents.

        Returns:
            Grey from 0, black, to 1, white; shape (count, height, width), in colour (count, 3,
            height, width).
        """
        x = self.flow.sample(count, generator(seed, "samples"), temperature)
        images = grey(x).clamp(0, 1).view(count, *self.shape)
        return images.squeeze(1).numpy()

    @torch.no_grad()
    def log_prob(self, images: ArrayLike, draws: int = 100, seed: int = 0) -> list[Answer]:
        """Log-likelihood of images, in nats.

        Args:
            images: grey levels 0 to 255 (whole numbers) or grey from 0 to 1; for images of 28 × 28
                of shape (28, 28), (n, 28, 28), (n, 1, 28, 28) or (n, 784).
            draws: dequantisations of each image; the standard error is over them.
            seed: of their noise.

        Raises:
            InputError: they are of another shape or range.
        """
        found = []
        for levels in _levels(images, self.shape):
            nats = log_likelihood(self.flow, levels, draws, seed)
            found.append(Answer(nats.value, nats.standard_error, nats.n))
        return found


def log_likelihood(flow: Flow, levels: torch.Tensor, draws: int, seed: int) -> Estimate:
    """Of an image in nats, with its error over noise draws.

    Args:
        flow: the model.
        levels: grey levels 0–255, shape (D,), uint8.
        draws: dequantisations.
        seed: of their noise.
    """
    noise = generator(seed, "noise", device=flow.device)
    x = dequantise(levels.to(flow.device).expand(draws, -1), noise)
    return mean(flow.log_likelihoods(x).cpu())


def weights_of(model: str | Path) -> Path:
    """The file of a trained flow that is given by its family or by the file."""
    return Path("model", f"{model}.safetensors") if model in names() else Path(model)


def load(model: str | Path) -> Model:
    """A trained flow, by its family or by its file.

    Examples:
        >>> model = load(trained)  # or load("nice"), once `dvc repro` has trained it
        >>> images = model.sample(2)
        >>> images.shape
        (2, 28, 28)
        >>> nats = model.log_prob(images)
        >>> len(nats), nats[0].n
        (2, 100)

    Raises:
        InputError: there is no such file, or it is not of a trained flow.
    """
    flow, header = checkpoint.load(weights_of(model), torch.device("cpu"))
    return Model(flow, header["shape"])


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Scikit-learn's handwritten digits at 28 × 28, which need no download.

    Returns:
        Grey levels 0 to 255, shape (1797, 28, 28), and which digit each is, (1797,).
    """
    images = scikit_digits()
    return images.pixels.reshape(-1, *MNIST[1:]), images.labels


def train(images: ArrayLike, epochs: int = 20, hidden: int = 200, seed: int = 0) -> Model:
    """Train a small NICE: four couplings, each with three hidden layers.

    A tenth of the images, the last ones, decides which epoch is kept.

    Args:
        images: grey ones as `Model.log_prob` takes them, at least 20.
        epochs: passes over the images.
        hidden: width of the hidden layers.
        seed: of the weights and of the noise.

    Examples:
        >>> images, labels = digits()
        >>> small = train(images[:500], epochs=2, hidden=20)
        >>> small.sample(4).shape
        (4, 28, 28)

    Raises:
        InputError: the images are too few, or of another shape or range; no epoch; no width.
    """
    if min(epochs, hidden) < 1:
        raise InputError(f"epochs and hidden must be at least 1, got {epochs} and {hidden}")
    shape = _shape(images)
    levels = _levels(images, shape)
    kept = len(levels) - len(levels) // 10
    if len(levels) < FEWEST:
        raise InputError(f"images must be at least {FEWEST}, got {len(levels)}")
    architecture = Architecture(family="nice", couplings=4, hidden=hidden, depth=3)
    flow = NICE(math.prod(shape), architecture)
    recipe = RECIPE.model_copy(update={"epochs": epochs, "batch": min(50, kept), "seed": seed})
    Run(recipe, TrainingProgress(epochs, kept, silent=True)).train(
        flow, levels[:kept], levels[kept:]
    )
    return Model(flow, shape)


def _shape(images: ArrayLike) -> Shape:
    """That of grey images; a row of entries is of a square image."""
    *_, height, width = (1, *np.shape(images))
    if np.ndim(images) == 2 and (side := math.isqrt(width)) ** 2 == width:
        return (1, side, side)
    return (1, height, width)


def _levels(images: ArrayLike, shape: Shape) -> torch.Tensor:
    """Levels 0–255, shape (n, D)."""
    found = np.asarray(images)
    channels, height, width = shape
    plain = shape[1:] if channels == 1 else shape
    if found.shape == plain:
        found = found[None]
    if found.ndim < 2 or found.shape[1:] not in ((math.prod(shape),), plain, shape):
        raise InputError(
            f"images must be of shape ({height}, {width}), (n, {height}, {width}), "
            f"(n, {channels}, {height}, {width}) or (n, {math.prod(shape)}), got {found.shape}"
        )
    top = LEVELS - 1 if np.issubdtype(found.dtype, np.integer) else 1
    if not ((found >= 0) & (found <= top)).all():
        raise InputError(
            f"{found.dtype} images must be in [0, {top}], got {found.min():g} to {found.max():g}"
        )
    levels = np.rint(found * ((LEVELS - 1) / top)).astype(np.uint8)
    return torch.from_numpy(levels.reshape(len(found), -1))
