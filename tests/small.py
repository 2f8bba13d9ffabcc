"""Small flows of every family of the package, and small sets of images."""

import numpy as np

from nicelab.flows import registry
from nicelab.flows.families import glow, nice
from nicelab.flows.flow import Flow
from nicelab.images.records import ImageSet
from nicelab.images.shapes import MNIST, Shape

SHAPE = (1, 4, 4)  # of their images
DIMENSIONS = 16

ARCHITECTURES = {
    "nice": nice.Architecture(family="nice", couplings=4, hidden=16, depth=2),
    "glow": glow.Architecture(
        family="glow",
        reach=20.0,
        mix="convolution",
        factor_out=True,
        levels=[{"steps": 3, "width": 8}],
    ),
}


def small(family: str) -> Flow:
    """A flow of this family, not yet initialised."""
    return registry.build(ARCHITECTURES[family], SHAPE)


def image_set(
    training: np.ndarray,
    validation: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    shape: Shape = MNIST,
) -> ImageSet:
    """Levels as a set of images; without others the validation and test images are the same."""
    parts = {"training": training, "validation": validation, "test": validation}
    pixels = {part: training if x is None else x for part, x in parts.items()}
    known = {} if labels is None else {f"{part}_labels": labels.astype(np.uint8) for part in parts}
    return ImageSet(
        dataset=np.array("noise"),
        shape=np.array(shape),
        classes=np.array([] if labels is None else list("0123456789"), dtype=str),
        **{f"{part}_pixels": x for part, x in pixels.items()},
        **known,
    )
