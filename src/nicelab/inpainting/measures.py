"""How far completions are from the originals."""

import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from nicelab.images.levels import LEVELS
from nicelab.images.shapes import Shape
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.records import Posterior

LEAST_ERROR = 1 / (12 * (LEVELS - 1) ** 2)  # what rounding to grey levels makes; 58.9 dB


def squared_error(x: Tensor, truth: Tensor, corrupted: Corrupted) -> Tensor:
    """Mean squared error on the hidden pixels of each image, shape (k, n), float64."""
    return corrupted.on_hidden((x - truth).double().square())


def without_noise(error: Tensor, posterior: Posterior, corrupted: Corrupted) -> Tensor:
    """The squared error of the mean over endless chains, from that over A of them, (k, n).

    With m_a the mean of chain a and t the truth, the mean of (m_a − t)(m_b − t) over pairs of
    independent chains a ≠ b has no Monte Carlo noise in its expectation. It is (m̄ − t)² − s² / A,
    where s² is the chains' variance about their mean m̄.
    """
    noise = corrupted.on_hidden(torch.from_numpy(posterior.chain_variance).double())
    return error - noise / int(posterior.chains)


def psnr(error: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB for a peak of 1; errors count as rounding at least."""
    return -10 * error.clamp(min=LEAST_ERROR).log10()


def ssim(x: Tensor, truth: Tensor, corrupted: Corrupted, shape: Shape) -> Tensor:
    """Structural similarity (Wang et al., 2004), mean over the hidden pixels, shape (k, n).

    Of images of this shape, channel by channel, in windows of 7 × 7 or what fits into them.
    """
    _, height, width = shape
    window = min(7, height - 1 + height % 2, width - 1 + width % 2)
    first, second = (
        y.expand_as(corrupted.observed).reshape(-1, height, width).movedim(0, -1).numpy()
        for y in (x, truth)
    )
    _, similarity = structural_similarity(
        first, second, win_size=window, data_range=1.0, channel_axis=-1, full=True
    )
    similarity = torch.from_numpy(similarity).movedim(-1, 0).reshape(corrupted.observed.shape)
    return corrupted.on_hidden(similarity)
