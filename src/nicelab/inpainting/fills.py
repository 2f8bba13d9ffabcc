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
from nicelab.images.shapes import Shape
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
    fill: Callable[[np.ndarray, np.ndarray], np.ndarray], shape: Shape
) -> Callable[[Corrupted], Tensor]:
    """A method for one channel, (height, width), and its mask, applied to each."""
    channels, *sides = shape

    def complete(corrupted: Corrupted) -> Tensor:
        x = torch.empty_like(corrupted.observed)
        masks, pictures = (
            each.unflatten(-1, (channels, *sides)).numpy()
            for each in (corrupted.hidden, corrupted.observed)
        )
        completed = x.unflatten(-1, (channels, *sides))
        for place in np.ndindex(masks.shape[:3]):
            completed[place] = torch.from_numpy(fill(pictures[place], masks[place])).to(x.dtype)
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
        prepare: gives the method, from training images in [0, 1], (m, D), OpenCV's radius and the
            shape of an image.
    """

    label: str
    prepare: Callable[[Tensor, int, Shape], Complete]


def _opencv(method: int) -> Callable[[Tensor, int, Shape], Complete]:
    return lambda x, radius, shape: image_by_image(opencv(method, radius), shape)


FILLS = {
    "mean": Fill("mean image", lambda x, radius, shape: statistic(x.mean(0))),
    "median": Fill("median image", lambda x, radius, shape: statistic(x.median(0).values)),
    "nearest": Fill("nearest training image", lambda x, radius, shape: nearest(x)),
    "biharmonic": Fill(
        "biharmonic", lambda x, radius, shape: image_by_image(inpaint_biharmonic, shape)
    ),
    "telea": Fill("Telea", _opencv(cv2.INPAINT_TELEA)),
    "navier_stokes": Fill("Navier–Stokes", _opencv(cv2.INPAINT_NS)),
    "gaussian": Fill("Gaussian conditional", lambda x, radius, shape: gaussian(x)),
}


def fill_all(training: Tensor, corrupted: Corrupted, shape: Shape, config: Filling) -> Fills:
    """Complete all images behind all masks by every method.

    Args:
        training: training images in [0, 1], shape (m, D).
        corrupted: the images.
        shape: of an image.
        config: the radius of OpenCV's methods.
    """
    methods = {name: fill.prepare(training, config.radius, shape) for name, fill in FILLS.items()}
    watched = tqdm(methods.items(), disable=None)
    return Fills(images={name: complete(corrupted).numpy() for name, complete in watched})
