"""What the model makes: samples, interpolations, and the spectrum of its scaling."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from nicelab.errors import InputError
from nicelab.nice import NICE
from nicelab.params import Section


class Sampling(Section):
    """How many samples and interpolations to make."""

    samples: Annotated[int, Field(ge=2, le=100_000)]
    grid: Annotated[int, Field(ge=1, le=30)]
    pairs: Annotated[int, Field(ge=1, le=100)]
    steps: Annotated[int, Field(ge=2, le=100)]
    seed: Annotated[int, Field(ge=0)]


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
