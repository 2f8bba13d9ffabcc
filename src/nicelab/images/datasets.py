"""The data sets that the pipeline works on: known ones, scikit-learn's digits, a user's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import AfterValidator, Field
from sklearn.datasets import load_digits

from nicelab.images import own
from nicelab.images.levels import LEVELS
from nicelab.images.own import Images
from nicelab.images.shapes import MNIST, Shape
from nicelab.images.sources import DIGITS, SOURCES
from nicelab.pipeline.params import Section

DIGITS_TEST = 297  # the last images of scikit-learn's set, kept for the test
TITLES = {
    **{name: source.title for name, source in SOURCES.items()},
    "digits": "scikit-learn digits",
    "digits_8x8": "scikit-learn digits at 8 × 8",
}
DIGITS_TITLES = (TITLES["digits"], TITLES["digits_8x8"])


def _plain(title: str) -> str:
    if not title.strip().isprintable() or not title.strip():
        raise ValueError(f"must be a line of text, got {title!r}")
    return title.strip()


class Own(Section):
    """What a user's own images are, in the folder `own`."""

    title: Annotated[str, Field(max_length=60), AfterValidator(_plain)]
    height: Annotated[int, Field(ge=2, le=512, multiple_of=2)]
    width: Annotated[int, Field(ge=2, le=512, multiple_of=2)]
    colour: bool
    test: Annotated[int, Field(ge=2)]

    @property
    def shape(self) -> Shape:
        """To which they are scaled."""
        return (3 if self.colour else 1, self.height, self.width)


Name = Literal[
    "mnist",
    "fashion_mnist",
    "kmnist",
    "emnist_digits",
    "emnist_letters",
    "qmnist",
    "usps",
    "digits",
    "digits_8x8",
    "own",
]


class Data(Section):
    """Which images the pipeline works on."""

    dataset: Name
    own: Own

    @property
    def title(self) -> str:
        """Its name for a reader."""
        return self.own.title if self.dataset == "own" else TITLES[self.dataset]


@dataclass(frozen=True)
class Collection:
    """A data set.

    Args:
        title: its name for a reader.
        shape: of an image.
        classes: what a reader calls them; none if there are no labels.
        images: for training and validation.
        test: for the test; None if they are still to be set apart.
    """

    title: str
    shape: Shape
    classes: tuple[str, ...]
    images: Images
    test: Images | None


def download(dataset: str, folder: Path, mirror: str | None) -> None:
    """Put a data set into an existing empty folder, to be read by `read`.

    Args:
        dataset: its name; the digits come with scikit-learn, a user's own are there.
        folder: where to put it.
        mirror: a folder or a URL with its archives, tried before the public ones.

    Raises:
        InputError: nobody has the archives with the right MD5 sums.
    """
    if dataset in SOURCES:
        SOURCES[dataset].fetch(folder, mirror)


def read(config: Data, folder: Path, owned: Path) -> Collection:
    """The data set.

    Args:
        config: which.
        folder: where `download` put it.
        owned: where a user's own images are.

    Raises:
        InputError: the folder does not hold it.
    """
    if config.dataset == "own":
        images, test, classes = own.read(owned, config.own.shape)
        return Collection(config.title, config.own.shape, classes, images, test)
    if config.dataset in SOURCES:
        source = SOURCES[config.dataset]
        parts = [source.read(folder, train) for train in (True, False)]
        images, test = (Images(x.reshape(len(x), -1), y) for x, y in parts)
        shape = (1, *parts[0][0].shape[1:])
        return Collection(config.title, shape, source.classes, images, test)
    shape = MNIST if config.dataset == "digits" else (1, 8, 8)
    found = scikit_digits(shape)
    cut = len(found.labels) - DIGITS_TEST
    images, test = (
        Images(found.pixels[part], found.labels[part]) for part in (slice(cut), slice(cut, None))
    )
    return Collection(config.title, shape, DIGITS, images, test)


def scikit_digits(shape: Shape = MNIST) -> Images:
    """The 1797 digits of 8 × 8 pixels and 17 levels, in this shape and 256 levels."""
    digits = load_digits()
    levels = (digits.images * (LEVELS - 1) / 16).round().astype(np.uint8)
    pixels = np.stack([np.tile(_resample(image, shape), shape[0]) for image in levels])
    return Images(pixels, digits.target.astype(np.uint8))


def _resample(image: np.ndarray, shape: Shape) -> np.ndarray:
    _, height, width = shape
    picture = Image.fromarray(image)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture).reshape(-1)
