"""What the model makes: samples and interpolations; whether it copies; its scales' spectrum."""

from typing import Annotated, Any, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from nicelab.errors import InputError
from nicelab.flows.flow import Flow
from nicelab.images.shapes import Shape
from nicelab.likelihood.records import Samples
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


def look(
    model: Flow, training: Tensor, test: Tensor, shape: Shape, config: Sampling
) -> tuple[Samples, dict[str, Any]]:
    """Samples and the images nearest to them, interpolations, and the spectrum; and metrics.

    Args:
        model: the flow.
        training: the images it was trained on, in [0, 1], (m, D), on its device.
        test: test images in [0, 1], (n, D), on its device.
        shape: of an image.
        config: how many of each.
    """
    known = Known(training, test[: config.samples])
    found = [known.beside(draw(model, config, t), config.grid) for t in config.temperatures]
    spectrum = model.spectrum()
    samples = Samples(
        shape=np.array(shape),
        samples=draw(model, config)[: config.grid**2].numpy(),
        temperatures=np.array(config.temperatures),
        at_temperatures=np.stack([shown for shown, _, _ in found]),
        nearest_images=np.stack([originals for _, originals, _ in found]),
        interpolations=interpolate(model, *pairs(test, config), config.steps).cpu().numpy(),
        spectrum=None if spectrum is None else spectrum.cpu().numpy(),
    )
    metrics: dict[str, Any] = {
        "temperatures": {
            f"{t:g}": numbers
            for t, (_, _, numbers) in zip(config.temperatures, found, strict=True)
        },
        "test": {"distance_to_training": mean(known.distances)},
        "round_trip_error": Estimate.exact(round_trip_error(model, test[:1000])),
    }
    if spectrum is not None:
        metrics["sigma"] = {
            "largest": Estimate.exact(spectrum[0]),
            "median": Estimate.exact(spectrum.median()),
            "smallest": Estimate.exact(spectrum[-1]),
        }
    return samples, metrics


def draw(model: Flow, config: Sampling, temperature: float = 1.0) -> Tensor:
    """Samples, (samples, D), from the same latents at every temperature."""
    random = generator(config.seed, "samples", device=model.device)
    return model.sample(config.samples, random, temperature).cpu()


class Known:
    """The training images, and how near to them images come that the model has not seen."""

    def __init__(self, training: Tensor, test: Tensor) -> None:
        self.images = training.cpu().numpy()
        self._neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(self.images)
        self.distances = self.nearest(test.cpu())[0]
        self.close = float(np.quantile(self.distances, 0.01))

    def nearest(self, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Euclidean distance to the nearest training image, and its index, both (n,)."""
        distance, index = self._neighbours.kneighbors(images.numpy())
        return distance[:, 0], index[:, 0]

    def beside(
        self, samples: Tensor, grid: int
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Estimate]]:
        """The first samples, the images nearest to them, both (grid, D), and metrics of all."""
        distance, index = self.nearest(samples.clamp(0, 1))
        outside = ((samples < 0) | (samples > 1)).double().mean(1)
        return (
            samples[:grid].numpy(),
            self.images[index[:grid]],
            {
                "share_of_pixels_outside_0_1": mean(outside),
                "distance_to_training": mean(distance),
                "share_closer_than_the_closest_1_percent_of_test_images": mean(
                    distance < self.close
                ),
            },
        )


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
def interpolate(model: Flow, start: Tensor, end: Tensor, steps: int) -> Tensor:
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
def round_trip_error(model: Flow, x: Tensor) -> float:
    """Largest |f⁻¹(f(x)) − x| over images of shape (n, D)."""
    return float((model.inverse(model(x)[0]) - x).abs().max())
