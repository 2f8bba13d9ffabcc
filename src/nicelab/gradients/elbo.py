"""Problem 1's identity on a real ELBO with a known answer.

For a family q_φ on R^k and h > 0,

    ∇_φ E_{Z~q_φ}[log(h(Z)/q_φ(Z))] = E_{Z~q_φ}[∇_φ log q_φ(Z) · log(h(Z)/q_φ(Z))],

because the other term of the product rule, −E[∇_φ log q_φ(Z)], is zero. Here h(z) = p(x, z) with
z ~ N(0, I), x | z ~ N(z, I), and q = N(m, diag(e^{2t})) with φ = (m, t), so that

    ELBO(φ) = −½ Σ (m² + e^{2t}) − ½ Σ ((x − m)² + e^{2t}) + Σ t + const.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from nicelab.pipeline.params import Section
from nicelab.statistics import Estimate, mean
from nicelab.streams import generator


class Elbo(Section):
    """Observation x, variational mean m and log scale t, each of length k."""

    x: Annotated[list[float], Field(min_length=1)]
    mean: Annotated[list[float], Field(min_length=1)]
    log_scale: Annotated[list[float], Field(min_length=1)]
    samples: Annotated[int, Field(ge=2, le=100_000_000)]

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        lengths = {name: len(getattr(self, name)) for name in ("x", "mean", "log_scale")}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"x, mean and log_scale must be of one length, got {lengths}")
        return self


def exact(phi: Tensor, x: Tensor) -> Tensor:
    """The ELBO in nats, a scalar; φ = (m, t) of shape (2, k), x of shape (k,)."""
    m, t = phi
    variance = (2 * t).exp()
    prior = -(m**2 + variance) / 2 - math.log(2 * math.pi) / 2
    likelihood = -((x - m) ** 2 + variance) / 2 - math.log(2 * math.pi) / 2
    entropy = t + math.log(2 * math.pi * math.e) / 2
    return (prior + likelihood + entropy).sum()


def score(phi: Tensor, z: Tensor) -> Tensor:
    """∇_φ log q_φ(z), shape (n, 2, k), for z of shape (n, k)."""
    m, t = phi
    y = (z - m) * (-t).exp()
    return torch.stack([y * (-t).exp(), y**2 - 1], dim=1)


def log_ratio(phi: Tensor, x: Tensor, z: Tensor) -> Tensor:
    """log(h(z)/q_φ(z)) = log p(z) + log p(x | z) − log q_φ(z), shape (n,)."""
    m, t = phi
    joint = _log_normal(z) + _log_normal(x - z)
    return (joint - (_log_normal((z - m) * (-t).exp()) - t)).sum(-1)


def _log_normal(y: Tensor) -> Tensor:
    """Log density of the standard normal distribution."""
    return -(y**2) / 2 - math.log(2 * math.pi) / 2


def identity(phi: Tensor, x: Tensor, z: Tensor) -> Tensor:
    """∇_φ log q_φ(z) · log(h(z)/q_φ(z)), one estimate for each z ~ q_φ; shape (n, 2, k)."""
    return score(phi, z) * log_ratio(phi, x, z)[:, None, None]


def product_rule(phi: Tensor, x: Tensor, z: Tensor) -> Tensor:
    """The same without the use of E[∇ log q] = 0: ∇ log q · (log(h/q) − 1), (n, 2, k)."""
    return score(phi, z) * (log_ratio(phi, x, z) - 1)[:, None, None]


def with_baseline(phi: Tensor, x: Tensor, z: Tensor) -> Tensor:
    """∇ log q · (log(h/q) − ELBO): the same expectation for any constant, (n, 2, k)."""
    return score(phi, z) * (log_ratio(phi, x, z) - exact(phi, x))[:, None, None]


def sticking_the_landing(phi: Tensor, x: Tensor, z: Tensor) -> Tensor:
    """∂/∂z log(h/q) · ∂z/∂φ, with q held fixed (Roeder, Wu and Duvenaud, 2017); (n, 2, k).

    Without variance where q is the posterior, since log(h/q) is constant there.
    """
    m, t = phi
    slope = (x - z) - z + (z - m) * (-2 * t).exp()
    return torch.stack([slope, slope * (z - m)], dim=1)


def pathwise(phi: Tensor, x: Tensor, z: Tensor) -> Tensor:
    """The whole derivative along z = m + e^t y, which also moves q; (n, 2, k)."""
    return sticking_the_landing(phi, x, z) - score(phi, z)


@dataclass(frozen=True)
class Estimator:
    """Terms of φ, x and z, (n, 2, k), whose mean estimates the gradient, and their label."""

    label: str
    terms: Callable[[Tensor, Tensor, Tensor], Tensor]


ESTIMATORS = {
    "identity": Estimator("the identity", identity),
    "product_rule": Estimator("the whole product rule", product_rule),
    "with_baseline": Estimator("ELBO as baseline", with_baseline),
    "pathwise": Estimator("pathwise", pathwise),
    "sticking_the_landing": Estimator("sticking the landing", sticking_the_landing),
}


def measure(config: Elbo, seed: int, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Each component of the ELBO's gradient by every estimator, and exactly; E[∇ log q] = 0.

    Components are named `mean_0`, …, `log_scale_0`, …. `gradient` is the identity's estimate;
    `variances` are those of a single sample, summed over the components, at φ and where q is the
    posterior.
    """
    double = {"dtype": torch.float64, "device": device}
    phi = torch.tensor([config.mean, config.log_scale], **double)
    x = torch.tensor(config.x, **double)
    random = generator(seed, "elbo", device=device)
    y = torch.randn(config.samples, len(x), generator=random, **double)
    at_phi, at_posterior = gradients(phi, x, y), gradients(posterior(x), x, y)
    variances = {
        name: {
            "at_phi": _total_variance(at_phi[name]),
            "at_the_posterior": _total_variance(at_posterior[name]),
        }
        for name in ESTIMATORS
    }
    zeros = score(phi, sample(phi, y)).cpu()
    return {**_components(at_phi, zeros, torch.func.grad(exact)(phi, x)), "variances": variances}


def sample(phi: Tensor, y: Tensor) -> Tensor:
    """Samples z = m + e^t y of q_φ, (n, k), from standard normal y of that shape."""
    return phi[0] + phi[1].exp() * y


def gradients(phi: Tensor, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """By every estimator from the same samples, (n, 2, k)."""
    z = sample(phi, y)
    return {name: estimator.terms(phi, x, z).cpu() for name, estimator in ESTIMATORS.items()}


def _components(found: dict[str, Tensor], zeros: Tensor, answer: Tensor) -> dict[str, Any]:
    """Means of each component of gradients (n, 2, k) and of the score, beside the answer."""
    return {
        f"{name}_{i}": {
            "gradient": mean(found["identity"][:, row, i]),
            "exact_gradient": Estimate.exact(answer[row, i]),
            "score": mean(zeros[:, row, i]),
            "estimators": {e: mean(g[:, row, i]) for e, g in found.items()},
        }
        for row, name in enumerate(("mean", "log_scale"))
        for i in range(answer.shape[-1])
    }


def posterior(x: Tensor) -> Tensor:
    """φ for which q is the posterior N(x/2, I/2), shape (2, k)."""
    return torch.stack([x / 2, torch.full_like(x, -math.log(2) / 2)])


def _total_variance(gradients: Tensor) -> Estimate:
    """Variance of samples (n, 2, k), summed over the components."""
    return mean(((gradients - gradients.mean(0)) ** 2).sum((1, 2)))
