"""Estimators of ∇ E[f(X)], X ~ N(μ, σ²), with respect to μ and τ = log σ.

One contract: an estimator takes a function f, points (*, 2) of (μ, τ) and noise (*, batch, d) of
standard normal numbers, and returns a gradient for each sample, (*, batch, 2), whose mean over the
batch estimates the gradient; it states how often it evaluates f or a derivative of f. After
Mohamed, Rosca, Figurnov and Mnih (2020), "Monte Carlo gradient estimation in machine learning":

    score function (section 4)      f(X) ∇ log p(X) = f(X) (Y/σ,  Y² − 1),   X = μ + σ Y
    pathwise (section 5)            f′(X) ∂X/∂(μ, τ) = f′(X) (1,  σ Y)
    measure-valued (section 6)      differences of f at points of other distributions

Estimators are put together from parts: what is multiplied by what (`score`, `pathwise`), less a
baseline or a surrogate for f whose gradient is known, on noise of some kind (`noise.py`). A new
one is an entry of `ESTIMATORS`; every test and study takes it from there.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from nicelab.gradients.noise import (
    NODES,
    Antithetic,
    Independent,
    Noise,
    Sobol,
    Stratified,
    gauss_hermite,
    weighted_variance,
)

FEW_NODES = 16  # of the quadratures that estimators themselves use


@dataclass(frozen=True)
class Function:
    """f and its first two derivatives, each elementwise."""

    value: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]
    second: Callable[[Tensor], Tensor]


Terms = Callable[[Function, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Estimator:
    """Terms, the noise they are fed with, and what they cost.

    `exact` gives the variance of the mean over a batch, times the batch, where the noise's own
    quadrature cannot. `unbiased` is False where the mean is not the gradient.
    """

    terms: Terms
    per_sample: int
    per_batch: int = 0
    dimensions: int = 1
    noise: Noise = field(default_factory=Independent)
    exact: Callable[[Function, Tensor, int], Tensor] | None = None
    unbiased: bool = True

    def __call__(
        self, f: Function, point: Tensor, batch: int, generator: torch.Generator
    ) -> Tensor:
        """A gradient for each sample of a batch at each point, shape (*, batch, 2)."""
        noise = self.noise.draw(point.shape[:-1], batch, self.dimensions, generator)
        return self.terms(f, point, noise)

    def variance(self, f: Function, point: Tensor, batch: int) -> Tensor:
        """Exact variance of the mean over a batch, times the batch; shape (*, 2)."""
        if self.exact:
            return self.exact(f, point, batch)
        return self.noise.variance(lambda y: self.terms(f, point, y), batch)

    def evaluations(self, batch: int) -> int:
        """Number of evaluations of f or a derivative for a batch."""
        return batch * self.per_sample + self.per_batch


# --- Surrogates: f(X) ≈ Σ_k c_k He_k(Y), whose gradient is (c_1/σ, 2 c_2). ---


@dataclass(frozen=True)
class Surrogate:
    """Coefficients c_0, c_1, … for a function and points (*, 2), shape (*, k), and their cost."""

    coefficients: Callable[[Function, Tensor], Tensor]
    evaluations: int = 0


def taylor(order: int) -> Surrogate:
    """The Taylor polynomial of f about μ, of first or second order (section 7.4)."""

    def coefficients(f: Function, point: Tensor) -> Tensor:
        mu, sigma = point[..., 0], point[..., 1].exp()
        linear = [f.value(mu), sigma * f.derivative(mu)]
        if order == 1:
            return torch.stack(linear, dim=-1)
        half = sigma**2 * f.second(mu) / 2  # (X − μ)² = σ² (He_2(Y) + 1)
        return torch.stack([linear[0] + half, linear[1], half], dim=-1)

    return Surrogate(coefficients, order + 1)


def hermite(degree: int) -> Surrogate:
    """The projection of f on polynomials of this degree, by quadrature; degree 0 is E f."""

    def coefficients(f: Function, point: Tensor) -> Tensor:
        y, weights = gauss_hermite(FEW_NODES)
        _, _, x = _place(point, y[:, 0])
        values = weights * f.value(x)
        basis = [hermite_series(torch.eye(degree + 1)[k].double(), y[:, 0]) / math.factorial(k)
                 for k in range(degree + 1)]  # fmt: skip
        return torch.stack([(values * h).sum(-1) for h in basis], dim=-1)

    return Surrogate(coefficients, FEW_NODES)


def hermite_series(c: Tensor, y: Tensor) -> Tensor:
    """Σ_k c_k He_k(y) for c of shape (*, k) and y of shape (*, n), shape (*, n)."""
    total, before, now = torch.zeros_like(y), torch.zeros_like(y), torch.ones_like(y)
    for k in range(c.shape[-1]):
        total = total + c[..., k, None] * now
        before, now = now, y * now - k * before
    return total


def _slope(c: Tensor, y: Tensor) -> Tensor:
    """Derivative by y of the series: Σ_k k c_k He_{k−1}(y)."""
    k = torch.arange(1, c.shape[-1], dtype=c.dtype)
    return hermite_series(k * c[..., 1:], y)


def _known_gradient(c: Tensor, sigma: Tensor) -> Tensor:
    """Gradient of E[Σ c_k He_k(Y)] as a function of x, shape (*, 1, 2)."""
    c = torch.nn.functional.pad(c, (0, 3 - c.shape[-1])) if c.shape[-1] < 3 else c
    return torch.stack([c[..., 1, None] / sigma, 2 * c[..., 2, None].expand_as(sigma)], dim=-1)


# --- Baselines of the score function: what is subtracted from f(X), (*, batch or 1, 2 or 1). ---

Baseline = Callable[[Function, Tensor, Tensor], Tensor]


def optimal_baseline(f: Function, point: Tensor, values: Tensor) -> Tensor:
    """E[f s²] / E[s²] for each component of the score s, by quadrature (section 7.4.1)."""
    y, weights = gauss_hermite(FEW_NODES)
    _, sigma, x = _place(point, y[:, 0])
    s2 = _score(sigma, y[:, 0]) ** 2
    weighted = weights[:, None] * s2
    return ((weighted * f.value(x)[..., None]).sum(-2) / weighted.sum(-2))[..., None, :]


def leave_one_out(f: Function, point: Tensor, values: Tensor) -> Tensor:
    """The mean of the batch's other values (Kool, van Hoof and Welling, 2019)."""
    n = values.shape[-1]
    return ((values.sum(-1, keepdim=True) - values) / (n - 1))[..., None]


# --- The estimators. ---


def _place(point: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """μ and σ, shape (*, 1), and X = μ + σ y, shape (*, n)."""
    mu, tau = point[..., None].unbind(-2)
    sigma = tau.exp()
    return mu, sigma, mu + sigma * y


def _score(sigma: Tensor, y: Tensor) -> Tensor:
    """∇ log p(X) = (Y/σ, Y² − 1), shape (*, n, 2)."""
    return torch.stack(torch.broadcast_tensors(y / sigma, y**2 - 1), dim=-1)


def score(baseline: Baseline | None = None, surrogate: Surrogate | None = None) -> Terms:
    """(f(X) − T(X) − b) ∇ log p(X) + ∇ E[T(X)]."""

    def terms(f: Function, point: Tensor, noise: Tensor) -> Tensor:
        y = noise[..., 0]
        _, sigma, x = _place(point, y)
        values = f.value(x)
        if surrogate:
            c = surrogate.coefficients(f, point)
            values = values - hermite_series(c, y)
        centred = values[..., None]
        if baseline:
            centred = centred - baseline(f, point, values)
        gradient = centred * _score(sigma, y)
        return gradient + _known_gradient(c, sigma) if surrogate else gradient

    return terms


def pathwise(surrogate: Surrogate | None = None) -> Terms:
    """(f′(X) − T′(X)) (1, σ Y) + ∇ E[T(X)]."""

    def terms(f: Function, point: Tensor, noise: Tensor) -> Tensor:
        y = noise[..., 0]
        _, sigma, x = _place(point, y)
        slope = f.derivative(x)
        if surrogate:
            c = surrogate.coefficients(f, point)
            slope = slope - _slope(c, y) / sigma
        gradient = torch.stack([slope, slope * sigma * y], dim=-1)
        return gradient + _known_gradient(c, sigma) if surrogate else gradient

    return terms


def measure_valued(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """Both derivatives as differences of expectations, coupled (section 6.2, table 1).

        ∂_μ E f = E[f(μ + σ W) − f(μ − σ W)] / (σ √2π),    W Rayleigh (Weibull of shape 2)
        ∂_τ E f = E[f(μ + σ M) − f(μ + σ Y)],              M double-sided Maxwell

    Three normal numbers Z give all: Y = Z₁, W = ‖(Z₂, Z₃)‖ and M = sign(Z₁) ‖Z‖, so that Y is M
    times an independent uniform number.
    """
    mu, sigma, x = _place(point, noise[..., 0])
    w = noise[..., 1:].norm(dim=-1)
    m = noise[..., 0].sign() * noise.norm(dim=-1)
    return _differences(f, mu, sigma, (w, w), (m, noise[..., 0]))


def measure_valued_uncoupled(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """The same with all four distributions independent, from eight normal numbers."""
    mu, sigma, _ = _place(point, noise[..., 0])
    w = noise[..., 1:3].norm(dim=-1), noise[..., 3:5].norm(dim=-1)
    m = noise[..., 5].sign() * noise[..., 5:8].norm(dim=-1)
    return _differences(f, mu, sigma, w, (m, noise[..., 0]))


def _differences(
    f: Function,
    mu: Tensor,
    sigma: Tensor,
    w: tuple[Tensor, Tensor],
    m: tuple[Tensor, Tensor],
) -> Tensor:
    by_mu = f.value(mu + sigma * w[0]) - f.value(mu - sigma * w[1])
    by_tau = f.value(mu + sigma * m[0]) - f.value(mu + sigma * m[1])
    return torch.stack([by_mu / (sigma * math.sqrt(2 * math.pi)), by_tau], dim=-1)


def quadrature(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """Gauss–Hermite: the pathwise terms at fixed nodes, as many as the batch, with weights.

    No estimate: it has no variance, and an error that falls fast with the number of nodes.
    """
    n = noise.shape[-2]
    y, weights = gauss_hermite(n)
    terms = pathwise()(f, point, y.expand(*noise.shape[:-1], 1))
    return n * weights[:, None] * terms


# --- Variances that a quadrature over the noise's one dimension does not give. ---


def _variance_of_leave_one_out(f: Function, point: Tensor, batch: int) -> Tensor:
    """That of the sample covariance of f(X) and the score, which this estimator is."""
    y, weights = gauss_hermite(NODES)
    _, sigma, x = _place(point, y[:, 0])
    weights = weights[:, None]
    a, b = f.value(x)[..., None], _score(sigma, y[:, 0])
    a, b = (v - (weights * v).sum(-2, keepdim=True) for v in (a, b))
    ab, aabb, aa, bb = ((weights * v).sum(-2) for v in (a * b, (a * b) ** 2, a**2, b**2))
    return aabb - (batch - 2) / (batch - 1) * ab**2 + aa * bb / (batch - 1)


def _variance_of_measure_valued(f: Function, point: Tensor, batch: int) -> Tensor:
    """By quadrature over ‖Z‖ and |Z₁|/‖Z‖ on both sides."""
    r, weights = _maxwell()
    u, uniform = _uniform()
    r, u = (a.flatten() for a in torch.meshgrid(r, u, indexing="ij"))
    weights = (weights[:, None] * uniform).flatten()
    zero = torch.zeros_like(u)
    half = torch.stack([r * u, r * (1 - u**2).sqrt(), zero], dim=-1)
    noise = torch.cat([half, half * half.new_tensor([-1, 1, 1])])
    return weighted_variance(measure_valued(f, point, noise), torch.cat([weights, weights]) / 2)


def _variance_uncoupled(f: Function, point: Tensor, batch: int) -> Tensor:
    """The sum of those of the four independent terms."""
    sigma = point[..., 1:].exp()

    def spread(y: Tensor, weights: Tensor) -> Tensor:
        return weighted_variance(f.value(_place(point, y)[2])[..., None], weights)

    w, rayleigh = _rayleigh()
    m, maxwell = _maxwell()
    y, normal = gauss_hermite(NODES)
    both = torch.cat([maxwell, maxwell]) / 2
    by_mu = (spread(w, rayleigh) + spread(-w, rayleigh)) / (2 * math.pi * sigma**2)
    by_tau = spread(torch.cat([m, -m]), both) + spread(y[:, 0], normal)
    return torch.cat([by_mu, by_tau], dim=-1)


def _radial(density: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Nodes and weights of Gauss–Legendre quadrature for a density on [0, 12]."""
    t, weights = _uniform()
    weights = weights * density(12 * t)
    return 12 * t, weights / weights.sum()


def _maxwell() -> tuple[Tensor, Tensor]:
    return _radial(lambda r: r**2 * (-(r**2) / 2).exp())


def _rayleigh() -> tuple[Tensor, Tensor]:
    return _radial(lambda r: r * (-(r**2) / 2).exp())


def _uniform() -> tuple[Tensor, Tensor]:
    """Nodes and weights of Gauss–Legendre quadrature on [0, 1]."""
    t, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(NODES))
    return (t + 1) / 2, weights / 2


# --- The sheet's faults, for comparison. ---


def score_as_printed(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """The sheet's: (X − μ)²/σ in place of (X − μ)²/σ² in the τ-component."""
    y = noise[..., 0]
    _, sigma, x = _place(point, y)
    return f.value(x)[..., None] * torch.stack([y / sigma, sigma * y**2 - 1], dim=-1)


def pathwise_as_printed(f: Function, point: Tensor, noise: Tensor) -> Tensor:
    """The sheet's: ∂X/∂τ = Y in place of σ Y."""
    y = noise[..., 0]
    _, _, x = _place(point, y)
    return f.derivative(x)[..., None] * torch.stack([torch.ones_like(y), y], dim=-1)


ESTIMATORS: dict[str, Estimator] = {
    "score_as_printed": Estimator(score_as_printed, 1, unbiased=False),
    "pathwise_as_printed": Estimator(pathwise_as_printed, 1, unbiased=False),
    "score": Estimator(score(), 1),
    "score_mean_baseline": Estimator(score(surrogate=hermite(0)), 1, FEW_NODES),
    "score_optimal_baseline": Estimator(score(optimal_baseline), 1, FEW_NODES),
    "score_leave_one_out": Estimator(score(leave_one_out), 1, exact=_variance_of_leave_one_out),
    "score_taylor_1": Estimator(score(surrogate=taylor(1)), 1, 2),
    "score_taylor_2": Estimator(score(surrogate=taylor(2)), 1, 3),
    "score_hermite_2": Estimator(score(surrogate=hermite(2)), 1, FEW_NODES),
    "score_antithetic": Estimator(score(), 1, noise=Antithetic()),
    "score_optimal_baseline_stratified": Estimator(
        score(optimal_baseline), 1, FEW_NODES, noise=Stratified()
    ),
    "score_sobol": Estimator(score(), 1, noise=Sobol()),
    "pathwise": Estimator(pathwise(), 1),
    "pathwise_taylor_1": Estimator(pathwise(taylor(1)), 1, 2),
    "pathwise_taylor_2": Estimator(pathwise(taylor(2)), 1, 3),
    "pathwise_hermite_2": Estimator(pathwise(hermite(2)), 1, FEW_NODES),
    "pathwise_antithetic": Estimator(pathwise(), 1, noise=Antithetic()),
    "pathwise_stratified": Estimator(pathwise(), 1, noise=Stratified()),
    "pathwise_sobol": Estimator(pathwise(), 1, noise=Sobol()),
    "measure_valued": Estimator(
        measure_valued, 4, dimensions=3, exact=_variance_of_measure_valued
    ),
    "measure_valued_uncoupled": Estimator(
        measure_valued_uncoupled, 4, dimensions=8, exact=_variance_uncoupled
    ),
    "quadrature": Estimator(
        quadrature, 1, exact=lambda f, point, batch: torch.zeros_like(point), unbiased=False
    ),
}
