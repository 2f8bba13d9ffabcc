"""What the model makes: samples and interpolations; whether it copies; its scales' spectrum."""

from typing import Annotated, Any, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from nicelab.errors import InputError
from nicelab.flows.nice import NICE
from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator


class Sampling(Section):
    """How many samples and interpolations to make."""

    samples: Annotated[int, Field(ge=2, le=100_000)]
    temperatures: Annotated[
        list[Annotated[float, Field(gt=0, le=10)]], Field(min_length=1, max_length=4)
    ]
    grid: Annotated[int, Field(ge=1, le=30)]
    pairs: Annotated[int, Field(ge=1, le=100)]
    steps: Annotated[int, Field(ge=2, le=100)]
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _fills_the_grid(self) -> Self:
        if self.samples < self.grid**2:
            raise ValueError(
                f"samples must be >= {self.grid**2} to fill a grid of {self.grid} × {self.grid}, "
                f"got {self.samples}"
            )
        return self


def study(
    model: NICE, training: Tensor, test: Tensor, config: Sampling
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Samples and the images nearest to them, interpolations, and the scaling's spectrum.

    Args:
        model: the flow.
        training: the images it was trained on, in [0, 1], (m, D), on its device.
        test: test images in [0, 1], (n, D), on its device.
        config: how many of each.

    Returns:
        Arrays `samples`, (grid², D); `temperatures`, (k,), `at_temperatures` and
        `nearest_images`, (k, grid, D); `interpolations`, (pairs, steps, D); and `spectrum`,
        (D,). And metrics.
    """
    spectrum = scaling_spectrum(model).cpu()
    training_images = training.cpu().numpy()
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(training_images)
    distances = {"test": nearest(neighbours, test[: config.samples].cpu())[0]}
    copied = float(np.quantile(distances["test"], 0.01))
    shown, originals, metrics = [], [], {}
    for t in config.temperatures:
        random = generator(config.seed, "samples", device=test.device)
        samples = model.sample(config.samples, random, t).cpu()
        distance, index = nearest(neighbours, samples.clamp(0, 1))
        shown.append(samples[: config.grid].numpy())
        originals.append(training_images[index[: config.grid]])
        metrics[f"{t:g}"] = {
            "share_of_pixels_outside_0_1": mean(((samples < 0) | (samples > 1)).double().mean(1)),
            "distance_to_training": mean(distance),
            "share_closer_than_the_closest_1_percent_of_test_images": mean(distance < copied),
        }
    random = generator(config.seed, "samples", device=test.device)
    arrays = {
        "samples": model.sample(config.samples, random).cpu()[: config.grid**2].numpy(),
        "temperatures": np.array(config.temperatures),
        "at_temperatures": np.stack(shown),
        "nearest_images": np.stack(originals),
        "interpolations": interpolate(model, *pairs(test, config), config.steps).cpu().numpy(),
        "spectrum": spectrum.numpy(),
    }
    return arrays, {
        "temperatures": metrics,
        "test": {"distance_to_training": mean(distances["test"])},
        "round_trip_error": Estimate.exact(round_trip_error(model, test[:1000])),
        "sigma": {
            "largest": Estimate.exact(spectrum[0]),
            "median": Estimate.exact(spectrum.median()),
            "smallest": Estimate.exact(spectrum[-1]),
        },
    }


def nearest(neighbours: NearestNeighbors, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distance to the nearest of the known images, and its index, both (n,)."""
    distance, index = neighbours.kneighbors(images.numpy())
    return distance[:, 0], index[:, 0]


def pairs(images: Tensor, config: Sampling) -> tuple[Tensor, Tensor]:
    """The first images as starts and the next ones as ends, both (pairs, D).

    Raises:
        InputError: there are fewer than two images for each pair.
    """
    if config.pairs > len(images) // 2:
        raise InputError(
            f"sample.pairs must be <= {len(images) // 2}, half of the test images, "
            f"got {config.pairs}"
        )
    return images[: config.pairs], images[config.pairs : 2 * config.pairs]


@torch.no_grad()
def interpolate(model: NICE, start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Images on the straight lines between the latents of two batches.

    Args:
        model: the flow.
        start: images, shape (n, D).
        end: images, shape (n, D).
        steps: number of images on each line, the two ends included.

    Returns:
        Images, shape (n, steps, D).
    """
    z_start, z_end = model(start)[0], model(end)[0]
    t = torch.linspace(0, 1, steps, device=start.device, dtype=start.dtype)[:, None]
    return model.inverse(torch.lerp(z_start[:, None], z_end[:, None], t))


@torch.no_grad()
def round_trip_error(model: NICE, x: Tensor) -> float:
    """Largest |f⁻¹(f(x)) − x| over images of shape (n, D)."""
    return float((model.inverse(model(x)[0]) - x).abs().max())


def scaling_spectrum(model: NICE) -> Tensor:
    """σ_d = exp(−s_d), largest first, shape (D,): the weight of each latent in the image.

    Dinh et al. (2014), section 5.1: the larger σ_d, the more variation its component explains.
    """
    return (-model.s.detach()).exp().sort(descending=True).values
