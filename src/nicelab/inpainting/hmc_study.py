"""The study of the posterior: several chains of each image, and how well they mix."""

from typing import Annotated

import numpy as np
import torch
from arviz_stats.base import array_stats
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from nicelab.flows.nice import NICE
from nicelab.images.levels import SIDE
from nicelab.inpainting.ascent import DecayingAdam, ascend
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.density import Density, fisher_information
from nicelab.inpainting.gaussian import Gaussian
from nicelab.inpainting.hmc import Posterior, factor, hmc, summarise
from nicelab.pipeline.params import Section
from nicelab.streams import generator


class Steps(Section):
    """First steps of the ascent, in the grey range, and of the trajectories, in its own scale."""

    ascent: Annotated[float, Field(gt=0, le=1)]
    trajectory: Annotated[float, Field(gt=0, le=2)]


class Chains(Section):
    """How many chains, and how long."""

    chains: Annotated[int, Field(ge=2)]
    steps: Annotated[int, Field(ge=1)]
    step_size: Steps
    leapfrog: Annotated[int, Field(ge=1)]
    warm_up: Annotated[int, Field(ge=1)]
    draws: Annotated[int, Field(ge=4)]
    samples: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0)]


def sample(
    density: Density, corrupted: Corrupted, gaussian: Gaussian, fisher: Tensor, config: Chains
) -> Posterior:
    """Chains that start apart: each ascends from its own draw of the Gaussian's conditional.

    Args:
        density: log p.
        corrupted: the images.
        gaussian: from which the chains start.
        fisher: F of the density, shape (D, D).
        config: the constants.
    """
    device = corrupted.observed.device
    apart = corrupted.repeat(config.chains)
    start = gaussian.draw(apart, generator(config.seed, "start", device=device))
    rule = DecayingAdam(config.step_size.ascent, config.steps)
    scale = fisher.diagonal().rsqrt().to(start.dtype)
    ascent = ascend(density, apart, start, rule, config.steps, scale)
    for state in tqdm(ascent, "ascent", config.steps + 1, unit=" steps", disable=None):
        start = state.x
    draws = hmc(
        density, start, factor(fisher, corrupted.hidden), config.leapfrog, config.warm_up,
        config.draws, config.step_size.trajectory, generator(config.seed, "chains", device=device),
    )  # fmt: skip
    draws = tqdm(draws, "chains, after their warm-up", config.draws, unit=" draws", disable=None)
    return summarise(draws, config.chains, lambda x, log_p: scalars(x, log_p, corrupted.hidden))


def scalars(x: Tensor, log_prob: Tensor, hidden: Tensor) -> Tensor:
    """The log density, and the sum of the hidden grey in the upper, lower, left and right half.

    Args:
        x: shape (k, n, chains, D).
        log_prob: shape (k, n, chains).
        hidden: shape (k, D).

    Returns:
        Shape (k, n, 5, chains), float64.
    """
    grey = torch.where(hidden[:, None, None], x, 0).double().unflatten(-1, (SIDE, SIDE))
    rows, columns = grey.sum(-1), grey.sum(-2)
    half = SIDE // 2
    halves = [part.sum(-1) for v in (rows, columns) for part in (v[..., :half], v[..., half:])]
    return torch.stack([log_prob.double(), *halves], 2)


def r_hat(scalars: np.ndarray) -> np.ndarray:
    """The worst R-hat over scalars, rank-normalised and split (Vehtari et al., 2021), (k, n).

    Huge or infinite where no chain moved. Scalars that cannot vary, since nothing there is
    hidden, do not count.

    Args:
        scalars: shape (k, n, scalars, chains, draws).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        found = array_stats.rhat(scalars)
    stuck = np.where(scalars.var((-2, -1)) > 0, np.inf, 0)
    return np.where(np.isfinite(found), found, stuck).max(-1)


def between_chains(scalars: np.ndarray) -> np.ndarray:
    """Share of the variance of log p that lies between the chains' means, (k, n).

    Args:
        scalars: shape (k, n, scalars, chains, draws), log p first.
    """
    log_prob = scalars[:, :, 0]
    return log_prob.mean(-1).var(-1) / log_prob.var((-2, -1))


def study(
    model: NICE, training: Tensor, images: Tensor, hidden: Tensor, picture: int, config: Chains
) -> dict[str, np.ndarray]:
    """Posterior of all images behind all masks.

    Args:
        model: the flow.
        training: its training images in [0, 1], shape (m, D).
        images: the originals in [0, 1], shape (n, D).
        hidden: masks, shape (k, D).
        picture: the image of which all chains are kept.
        config: the constants.

    Returns:
        `mean`, `standard_deviation`, `lower`, `upper` and `draw` (the last of the first chain),
        (k, n, D); `shown`, (k, chains, D); `acceptance` and the worst R-hat over `scalars`,
        `r_hat`, and `between_chains`, (k, n); `draws` of an image.
    """
    drawn = model.sample(config.samples, generator(config.seed, "samples", device=images.device))
    fisher = fisher_information(model.log_prob, drawn)
    corrupted, gaussian = Corrupted.hide(images, hidden), Gaussian.fit(training)
    found = sample(model.log_prob, corrupted, gaussian, fisher, config)
    values = found.scalars.cpu().numpy()
    arrays = {
        "mean": found.mean,
        "standard_deviation": found.standard_deviation,
        "lower": found.lower,
        "upper": found.upper,
        "draw": found.last[:, :, 0],
        "shown": found.last[:, picture],
        "acceptance": found.acceptance.mean(-1),
    }
    return {name: tensor.cpu().numpy() for name, tensor in arrays.items()} | {
        "r_hat": r_hat(values),
        "between_chains": between_chains(values),
        "draws": np.array(config.chains * config.draws),
    }
