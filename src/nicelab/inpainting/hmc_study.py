"""The study of the posterior: independent chains of each image, and how well long ones mix."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from tqdm import tqdm, trange

from nicelab.errors import InputError
from nicelab.flows.flow import Flow
from nicelab.images import shapes
from nicelab.images.levels import LEVELS, centre, dequantise, grey
from nicelab.images.shapes import Shape
from nicelab.inpainting.ascent import Climb
from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.density import fisher_information, score
from nicelab.inpainting.gaussian import Gaussian
from nicelab.inpainting.hmc import Draw, Hmc, factor, follow, summarise
from nicelab.inpainting.mixing import mixing, scalars
from nicelab.inpainting.records import Posterior, Problems
from nicelab.inpainting.rules import DecayingAdam
from nicelab.machine.precision import Choice, Precision, autocast, resolve
from nicelab.pipeline.params import Section
from nicelab.streams import generator

BLOCK = 200  # images at once: bounds the memory of their mass matrices, where masks differ
Count = Annotated[int, Field(ge=1, le=100_000)]


class Steps(Section):
    """First steps of the ascent, in the grey range, and of the trajectories, in its own scale."""

    ascent: Annotated[float, Field(gt=0, le=1)]
    trajectory: Annotated[float, Field(gt=0, le=2)]


class Long(Section):
    """Long chains of a few images, which tell whether chains mix."""

    images: Annotated[int, Field(ge=2)]
    chains: Annotated[int, Field(ge=2, le=1000)]
    leapfrog: Count
    warm_up: Count
    draws: Annotated[int, Field(ge=4, le=100_000)]


class Chains(Section):
    """How many chains, and how long."""

    chains: Annotated[int, Field(ge=2, le=1000)]
    steps: Count
    step_size: Steps
    leapfrog: Count
    warm_up: Count
    draws: Count
    long: Long
    samples: Annotated[int, Field(ge=2, le=100_000)]
    precision: Choice
    seed: Annotated[int, Field(ge=0)]

    def gradients(self, masks: int, images: int) -> int:
        """How many all chains of so many images behind so many masks take."""
        ascent, long = self.steps + 1, self.long
        short = ascent + 1 + self.leapfrog * (self.warm_up + self.draws)
        of_long = ascent + 1 + long.leapfrog * (long.warm_up + long.draws)
        return masks * (images * self.chains * short + long.images * long.chains * of_long)


@dataclass(frozen=True)
class Sampler:
    """Draws hidden pixels on the scale of the density, (level + noise) / 256.

    Chains move in the flow's own coordinates, where its density has no jumps. Each pixel's depends
    on that pixel alone, so that the draws, as pixels, are those of p(x_hidden | x_observed).

    Args:
        model: the flow, of p.
        gaussian: from whose conditional distribution chains start, apart from one another.
        fisher: F of the density of the coordinates, shape (D, D).
        config: the constants.
    """

    model: Flow
    gaussian: Gaussian
    fisher: Tensor
    config: Chains

    def short(self, levels: Tensor, hidden: Tensor, name: str) -> Iterator[Draw]:
        """Chains of each image of which each has noise of its own, so that means average it.

        Args:
            levels: grey levels, uint8, shape (n, D).
            hidden: shape (n, D).
            name: of the streams of random numbers.
        """
        config, apart = self.config, levels[:, None].expand(-1, self.config.chains, -1)
        x = dequantise(apart, self._random(name, "noise", levels))
        hmc = Hmc(config.leapfrog, config.warm_up, config.draws, config.step_size.trajectory)
        return self._draw(x, hidden, hmc, name)

    def long(self, levels: Tensor, hidden: Tensor, name: str) -> Iterator[Draw]:
        """Chains with the same noise, hence the same target; arguments as for `short`."""
        config, long = self.config, self.config.long
        x = dequantise(levels, self._random(name, "noise", levels))
        hmc = Hmc(long.leapfrog, long.warm_up, long.draws, config.step_size.trajectory)
        return self._draw(x[:, None].expand(-1, long.chains, -1), hidden, hmc, name)

    def _draw(self, x: Tensor, hidden: Tensor, hmc: Hmc, name: str) -> Iterator[Draw]:
        """From images of shape (n, chains, D), each chain from a start of its own."""
        apart = hidden.repeat_interleave(x.shape[1], 0)[None]
        start = self._start(Corrupted.hide(x.flatten(0, 1), apart), name)
        masks = hidden[:1] if (hidden == hidden[0]).all() else hidden
        density = self.model.log_prob_of_coordinates
        draws = hmc.chains(
            density,
            score(density, self._precision()),
            self.model.coordinates(start).view(len(masks), -1, x.shape[-1]),
            factor(self.fisher, masks, start.dtype),
            self._random(name, "chains", x),
        )
        for draw in draws:
            yield replace(draw, x=self.model.at_coordinates(draw.x))

    def _start(self, corrupted: Corrupted, name: str) -> Tensor:
        """A draw of the Gaussian for each image, after a short ascent."""
        start = self.gaussian.draw(corrupted, self._random(name, "start", corrupted.observed))
        rule = DecayingAdam(self.config.step_size.ascent, self.config.steps)
        climb = Climb(self.model.log_prob, torch.ones_like(start[0, 0]))
        with autocast(self._precision(), start.device):
            *_, state = climb.ascend(corrupted, start, rule, self.config.steps)
        return state.x

    def _precision(self) -> Precision:
        return resolve(self.config.precision, self.model.device)

    def _random(self, name: str, purpose: str, like: Tensor) -> torch.Generator:
        return generator(self.config.seed, name, purpose, device=like.device)


def draw_posterior(model: Flow, training: Tensor, problems: Problems, config: Chains) -> Posterior:
    """Chains of all images behind all masks, shown as grey; long ones of the first images.

    Args:
        model: the flow.
        training: its training images, grey, shape (m, D).
        problems: the originals and their masks.
        config: the constants.

    Raises:
        InputError: there are fewer images than long chains are wanted of.
    """
    available, count = len(problems.images), config.long.images
    if count > available:
        raise InputError(
            f"posterior.long.images must be <= the {available} images behind the masks, "
            f"got {count}"
        )
    drawn = model.sample(config.samples, generator(config.seed, "samples", device=model.device))
    fisher = fisher_information(model.log_prob_of_coordinates, model.coordinates(drawn))
    sampler = Sampler(model, Gaussian.fit(centre(training)), fisher, config)
    levels = torch.from_numpy(np.rint((LEVELS - 1) * problems.images)).to(model.device)
    levels = levels.to(torch.uint8)
    hidden = torch.tensor(problems.hidden, device=model.device)
    masks = list(zip(problems.names.tolist(), hidden, strict=True))
    found = [
        _short(sampler, levels, where, name, int(problems.picture))
        for name, where in tqdm(masks, "chains", unit=" masks", disable=None)
    ]
    stacked = {key: np.stack([mask[key] for mask in found]) for key in found[0]}
    shape = shapes.of(problems.shape)
    r_hat, ess = _long(sampler, levels[:count], hidden[:, :count], shape)
    return Posterior(**stacked, r_hat=r_hat, ess=ess, chains=np.array(config.chains))


def _short(
    sampler: Sampler, levels: Tensor, hidden: Tensor, name: str, picture: int
) -> dict[str, np.ndarray]:
    """What the short chains of all images behind one mask say; of the picture the last draws."""
    parts: list[dict[str, Tensor]] = []
    for first in range(0, len(levels), BLOCK):
        block = slice(first, first + BLOCK)
        draws = sampler.short(levels[block], hidden[block], f"{name} {first}")
        found = summarise(draws, sampler.config.chains, _shown)
        beyond = ((found.last < 0) | (found.last > 1)) & hidden[block, None]
        outside = beyond.double().mean(1).sum(-1) / hidden[block].sum(-1)
        last = _shown(found.last)
        parts.append(
            {
                "mean": found.mean,
                "chain_variance": found.chain_variance,
                "standard_deviation": found.standard_deviation,
                "lower": last.amin(1),
                "upper": last.amax(1),
                "draw": last[:, 0],
                "last": last,
                "outside": outside,
                "acceptance": found.acceptance,
            }
        )
    whole = {key: torch.cat([part[key] for part in parts]).cpu().numpy() for key in parts[0]}
    shown = whole.pop("last")[picture]
    return {**whole, "shown": shown}


def _long(
    sampler: Sampler, levels: Tensor, hidden: Tensor, shape: Shape
) -> tuple[np.ndarray, np.ndarray]:
    """R-hat and effective sample size, each (k, n), of images behind masks of shape (k, n, D).

    All at once: one chain after the other would leave the processor idle between small products.
    """
    images, where, parts = levels.repeat(len(hidden), 1), hidden.flatten(0, 1), []
    for first in trange(0, len(where), BLOCK, desc="long chains", unit=" blocks", disable=None):
        block = slice(first, first + BLOCK)
        draws = sampler.long(images[block], where[block], f"long {first}")
        summaries = partial(scalars, hidden=where[block], shape=shape)
        parts.append(mixing(follow(draws, sampler.config.long.chains, summaries).cpu().numpy()))
    r_hat, ess = (np.concatenate(part) for part in zip(*parts, strict=True))
    return r_hat.reshape(hidden.shape[:2]), ess.reshape(hidden.shape[:2])


def _shown(x: Tensor) -> Tensor:
    """Grey in [0, 1]: what lies outside is the nearest that can be shown."""
    return grey(x).clamp(0, 1)
