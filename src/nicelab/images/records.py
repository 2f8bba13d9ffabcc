"""The images of a data set, as every later stage reads them."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Int64, UInt8

from nicelab.images import shapes
from nicelab.images.shapes import Shape
from nicelab.records import Record, Text, Within


@dataclass(frozen=True)
class ImageSet(Record):
    """Levels 0–255 of the training, validation and test images, and their classes.

    Args:
        dataset: the name of the data, for a reader.
        shape: of an image, (channels, height, width).
        classes: what a reader calls them; none if the images have no labels.
        training_pixels: shape (n, D); `shapes` says in which order.
        training_labels: indices of `classes`, (n,); None if there are no classes.
        validation_pixels: images held out of training.
        validation_labels: theirs.
        test_pixels: images that are for the test alone.
        test_labels: theirs.
    """

    dataset: Text[np.ndarray, ""]
    shape: Annotated[Int64[np.ndarray, " 3"], Within(1, 4096)]
    classes: Text[np.ndarray, " classes"]
    training_pixels: UInt8[np.ndarray, "training dimensions"]
    validation_pixels: UInt8[np.ndarray, "validation dimensions"]
    test_pixels: UInt8[np.ndarray, "test dimensions"]
    training_labels: UInt8[np.ndarray, " training"] | None = None
    validation_labels: UInt8[np.ndarray, " validation"] | None = None
    test_labels: UInt8[np.ndarray, " test"] | None = None

    def require_declared(self) -> "ImageSet":
        """Also: images have the stated shape, at least two in each part, and known classes."""
        super().require_declared()
        if (found := self.test_pixels.shape[1]) != self.dimensions:
            raise ValueError(f"test_pixels must have {self.dimensions} entries each, got {found}")
        for part in ("training", "validation", "test"):
            if (count := len(self.pixels(part))) < 2:
                raise ValueError(f"{part}_pixels must be of two images at least, got {count}")
            labels = self.labels(part)
            if (labels is None) != (len(self.classes) == 0):
                raise ValueError(f"{part}_labels must be there if there are classes, else not")
            if labels is not None and labels.max() >= len(self.classes):
                raise ValueError(
                    f"{part}_labels must be below {len(self.classes)}, got {labels.max()}"
                )
        return self

    @property
    def name(self) -> str:
        """The name of the data."""
        return str(self.dataset)

    @property
    def of_shape(self) -> Shape:
        """(channels, height, width)."""
        return shapes.of(self.shape)

    @property
    def dimensions(self) -> int:
        """Number of entries D of an image."""
        return int(np.prod(self.shape))

    def pixels(self, part: str) -> np.ndarray:
        """Of `training`, `validation` or `test`."""
        return getattr(self, f"{part}_pixels")

    def labels(self, part: str) -> np.ndarray | None:
        """Of the same."""
        return getattr(self, f"{part}_labels")
