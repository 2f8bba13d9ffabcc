"""The study of the posterior: several chains of each image, and how well they mix."""

from typing import Annotated

import numpy as np
import torch
from arviz_stats.base import array_stats
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from nicelab.flows.flow import Flow
from nicelab.images.levels import SIDE
from nicelab.inpainting.ascent import Climb
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.density import Density, fisher_information, score
from nicelab.inpainting.gaussian import Gaussian
from nicelab.inpainting.hmc import Hmc, Moments, factor, summarise
from nicelab.inpainting.records import Posterior, Problems
from nicelab.inpainting.rules import DecayingAdam
from nicelab.machine.precision import Choice, resolve
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
    precision: Choice
    seed: Annotated[int, Field(ge=0)]


def sample(
    density: Density, corrupted: Corrupted, gaussian: Gaussian, fisher: Tensor, config: Chains
) -> Moments:
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
    climb = Climb(density, fisher.diagonal().rsqrt().to(start.dtype))
    ascent = climb.ascend(apart, start, rule, config.steps)
    for state in tqdm(ascent, "ascent", config.steps + 1, unit=" steps", disable=None):
        start = state.x
    hmc = Hmc(config.leapfrog, config.warm_up, config.draws, config.step_size.trajectory)
    random = generator(config.seed, "chains", device=device)
    field = score(density, resolve(config.precision, device))
    draws = hmc.chains(density, field, start, factor(fisher, corrupted.hidden), random)
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


def draw_posterior(model: Flow, training: Tensor, problems: Problems, config: Chains) -> Posterior:
    """Posterior of all images behind all masks; of the picture all chains are kept.

    Args:
        model: the flow.
        training: its training images in [0, 1], shape (m, D).
        problems: the originals and their masks.
        config: the constants.
    """
    random = generator(config.seed, "samples", device=model.device)
    fisher = fisher_information(model.log_prob, model.sample(config.samples, random))
    images, hidden = (
        torch.from_numpy(x).to(model.device) for x in (problems.images, problems.hidden)
    )
    corrupted, gaussian = Corrupted.hide(images, hidden), Gaussian.fit(training)
    found = sample(model.log_prob, corrupted, gaussian, fisher, config)
    values = found.scalars.cpu().numpy()
    tensors = {
        "mean": found.mean,
        "standard_deviation": found.standard_deviation,
        "lower": found.lower,
        "upper": found.upper,
        "draw": found.last[:, :, 0],
        "shown": found.last[:, int(problems.picture)],
        "acceptance": found.acceptance.mean(-1),
    }
    return Posterior(
        **{name: tensor.cpu().numpy() for name, tensor in tensors.items()},
        r_hat=r_hat(values),
        between_chains=between_chains(values),
        draws=np.array(config.chains * config.draws),
    )
