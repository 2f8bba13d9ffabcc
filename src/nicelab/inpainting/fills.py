"""Completions without a flow: what a user would reach for, and the exact Gaussian answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
import torch
from pydantic import Field
from skimage.restoration import inpaint_biharmonic
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from tqdm import tqdm

from nicelab.images.levels import LEVELS, centre, grey
from nicelab.images.shapes import SIDE
from nicelab.inpainting.corrupted import Corrupted, alike
from nicelab.inpainting.gaussian import Gaussian
from nicelab.inpainting.records import Fills
from nicelab.pipeline.params import Section


class Filling(Section):
    """How far OpenCV's methods look, in pixels."""

    radius: Annotated[int, Field(ge=1, le=100)]


def statistic(values: Tensor) -> Callable[[Corrupted], Tensor]:
    """Hidden pixels from one image of shape (D,), such as the mean of the training images."""
    return lambda corrupted: corrupted.project(values.expand_as(corrupted.observed))


def nearest(training: Tensor) -> Callable[[Corrupted], Tensor]:
    """Hidden pixels of the training image, of (m, D), that is nearest in the observed ones."""

    def complete(corrupted: Corrupted) -> Tensor:
        x = torch.empty_like(corrupted.observed)
        for k, masks in enumerate(corrupted.hidden):
            for hidden, which in alike(masks):
                seen = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(training[:, ~hidden])
                observed = corrupted.observed[k, which][:, ~hidden]
                x[k, which] = training[seen.kneighbors(observed, return_distance=False)[:, 0]]
        return corrupted.project(x)

    return complete


def gaussian(training: Tensor) -> Callable[[Corrupted], Tensor]:
    """The conditional mean of the Gaussian like training images, (m, D), noise averaged over.

    Being linear, it is the same for pixels in the middle of their grey level.
    """
    model = Gaussian.fit(centre(training))

    def complete(corrupted: Corrupted) -> Tensor:
        middle = Corrupted(centre(corrupted.observed), corrupted.hidden)
        return corrupted.project(grey(model.conditional_mean(middle)))

    return complete


def image_by_image(
    fill: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Callable[[Corrupted], Tensor]:
    """A method for one picture and mask of 28 × 28, applied to each."""

    def complete(corrupted: Corrupted) -> Tensor:
        x = torch.empty_like(corrupted.observed)
        masks, pictures = (
            each.unflatten(-1, (SIDE, SIDE)).numpy()
            for each in (corrupted.hidden, corrupted.observed)
        )
        for k, n in np.ndindex(masks.shape[:2]):
            x[k, n] = torch.from_numpy(fill(pictures[k, n], masks[k, n])).to(x.dtype).flatten()
        return corrupted.project(x)

    return complete


def opencv(method: int, radius: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """OpenCV's method, which works on grey levels, looking so many pixels around."""

    def fill(picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        levels = np.rint(picture * (LEVELS - 1)).astype(np.uint8)
        return cv2.inpaint(levels, hidden.astype(np.uint8), radius, method) / (LEVELS - 1)

    return fill


Complete = Callable[[Corrupted], Tensor]


@dataclass(frozen=True)
class Fill:
    """A method without a flow.

    Args:
        label: what a reader calls it.
        prepare: gives the method, from training images in [0, 1], (m, D), and OpenCV's radius.
    """

    label: str
    prepare: Callable[[Tensor, int], Complete]


FILLS = {
    "mean": Fill("mean image", lambda x, radius: statistic(x.mean(0))),
    "median": Fill("median image", lambda x, radius: statistic(x.median(0).values)),
    "nearest": Fill("nearest training image", lambda x, radius: nearest(x)),
    "biharmonic": Fill("biharmonic", lambda x, radius: image_by_image(inpaint_biharmonic)),
    "telea": Fill("Telea", lambda x, radius: image_by_image(opencv(cv2.INPAINT_TELEA, radius))),
    "navier_stokes": Fill(
        "Navier–Stokes", lambda x, radius: image_by_image(opencv(cv2.INPAINT_NS, radius))
    ),
    "gaussian": Fill("Gaussian conditional", lambda x, radius: gaussian(x)),
}


def fill_all(training: Tensor, corrupted: Corrupted, config: Filling) -> Fills:
    """Complete all images behind all masks by every method.

    Args:
        training: training images in [0, 1], shape (m, D).
        corrupted: the images.
        config: the radius of OpenCV's methods.
    """
    methods = {name: fill.prepare(training, config.radius) for name, fill in FILLS.items()}
    watched = tqdm(methods.items(), disable=None)
    return Fills(images={name: complete(corrupted).numpy() for name, complete in watched})
