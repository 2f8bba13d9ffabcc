"""Completions without a flow: what a user would reach for, and the exact Gaussian answer."""

from collections.abc import Callable
from typing import Annotated

import cv2
import numpy as np
import torch
from pydantic import Field
from skimage.restoration import inpaint_biharmonic
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from nicelab.images.levels import LEVELS, SIDE
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.gaussian import Gaussian
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
        for k, hidden in enumerate(corrupted.hidden):
            seen = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(training[:, ~hidden])
            index = seen.kneighbors(corrupted.observed[k][:, ~hidden], return_distance=False)
            x[k] = training[index[:, 0]]
        return corrupted.project(x)

    return complete


def image_by_image(
    fill: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Callable[[Corrupted], Tensor]:
    """A method for one picture and mask of 28 × 28, applied to each."""

    def complete(corrupted: Corrupted) -> Tensor:
        x = torch.empty_like(corrupted.observed)
        for k, hidden in enumerate(corrupted.hidden.reshape(-1, SIDE, SIDE).numpy()):
            for n, picture in enumerate(corrupted.observed[k].reshape(-1, SIDE, SIDE).numpy()):
                x[k, n] = torch.from_numpy(fill(picture, hidden)).to(x.dtype).flatten()
        return corrupted.project(x)

    return complete


def opencv(method: int, radius: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """OpenCV's method, which works on grey levels, looking so many pixels around."""

    def fill(picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        levels = np.rint(picture * (LEVELS - 1)).astype(np.uint8)
        return cv2.inpaint(levels, hidden.astype(np.uint8), radius, method) / (LEVELS - 1)

    return fill


def methods(training: Tensor, radius: int) -> dict[str, Callable[[Corrupted], Tensor]]:
    """All of them, by name.

    Args:
        training: training images in [0, 1], shape (m, D).
        radius: of OpenCV's methods, in pixels.
    """
    return {
        "mean": statistic(training.mean(0)),
        "median": statistic(training.median(0).values),
        "nearest": nearest(training),
        "biharmonic": image_by_image(inpaint_biharmonic),
        "telea": image_by_image(opencv(cv2.INPAINT_TELEA, radius)),
        "navier_stokes": image_by_image(opencv(cv2.INPAINT_NS, radius)),
        "gaussian": Gaussian.fit(training).conditional_mean,
    }
