"""What is differentiated in d dimensions: E[f(X)] over X ~ N(μ, diag σ²), with a known gradient.

A point is a tensor (2, d) of μ and τ = log σ. An objective has a point of its own, at which the
estimators are held against each other.
"""

import math
from abc import ABC, abstractmethod
from functools import cache
from typing import Self

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from torch import Tensor
from torch.nn.functional import logsigmoid

from nicelab.gradients.family import Function
from nicelab.gradients.quadrature import NODES, gauss_hermite

LOGIT_NODES = 40  # of the quadrature over a logit, which is smooth
STILL = 1e-6  # norm of the ELBO's gradient at its optimum, in nats


class Objective(ABC):
    """f, its derivative, the point, and the exact gradient there."""

    point: Tensor

    @abstractmethod
    def value(self, x: Tensor) -> Tensor:
        """f(x), shape (*), for x (*, d)."""

    @abstractmethod
    def derivative(self, x: Tensor) -> Tensor:
        """∂f/∂x, shape (*, d)."""

    @abstractmethod
    def replaced(self, x: Tensor, y: Tensor) -> Tensor:
        """f(x₁, …, y_i, …, x_d) for each i, shape (*, d); x and y (*, d).

        The same as d evaluations of f, and counted as such, but without their repetitions.
        """

    @abstractmethod
    def gradient(self) -> Tensor:
        """∇ E[f(X)] with respect to (μ, τ) at the point, shape (2, d), exact."""


class Separable(Objective):
    """f(x) = Σ g(x_i), at a point whose components are all alike.

    Args:
        g: of one number.
        dimensions: d.
        mu: of every component.
        sigma: of every component.
    """

    def __init__(self, g: Function, dimensions: int, mu: float, sigma: float) -> None:
        self.g, self.dimensions = g, dimensions
        self.one = torch.tensor([mu, math.log(sigma)], dtype=torch.float64)
        self.point = self.one[:, None].expand(2, dimensions)

    def value(self, x: Tensor) -> Tensor:
        """Σ g(x_i), shape (*)."""
        return self.g.value(x).sum(-1)

    def derivative(self, x: Tensor) -> Tensor:
        """g′(x_i), shape (*, d)."""
        return self.g.derivative(x)

    def replaced(self, x: Tensor, y: Tensor) -> Tensor:
        """f(x) − g(x_i) + g(y_i), shape (*, d)."""
        return self.value(x)[..., None] - self.g.value(x) + self.g.value(y)

    def gradient(self) -> Tensor:
        """E[g′(X)(1, σ Y)] for every component, by Gauss–Hermite quadrature."""
        y, weights = gauss_hermite(NODES, self.one)
        mu, sigma = self.one[0], self.one[1].exp()
        slope = weights * self.g.derivative(mu + sigma * y[:, 0])
        one = torch.stack([slope.sum(), (slope * sigma * y[:, 0]).sum()])
        return one[:, None].expand(2, self.dimensions)


class LogisticRegression(Objective):
    """Log-likelihood of a logistic regression, Σ_n log σ(t_n x·a_n), with weights x ~ N(μ, σ²).

    Each logit x·a_n is normal, so E f is a sum of integrals over one number each. The point is
    where the ELBO, E f less the divergence from a standard normal prior, is largest.

    Args:
        signed: features a_n times the class t_n = ±1, shape (n, d), float64.
    """

    def __init__(self, signed: Tensor) -> None:
        self.signed = signed
        self.point = self._optimum()

    @classmethod
    def of_breast_cancer(cls, dimensions: int) -> Self:
        """Of the Wisconsin data (Street, Wolberg and Mangasarian, 1993), bundled with sklearn.

        Its first features, standardised: 30, then their squares and products.
        """
        return cls(breast_cancer()[:, :dimensions])

    def value(self, x: Tensor) -> Tensor:
        """Log-likelihood in nats, shape (*)."""
        return logsigmoid(x @ self.signed.mT).sum(-1)

    def derivative(self, x: Tensor) -> Tensor:
        """Σ_n σ(−t_n x·a_n) t_n a_n, shape (*, d)."""
        return (-(x @ self.signed.mT)).sigmoid() @ self.signed

    def replaced(self, x: Tensor, y: Tensor) -> Tensor:
        """By what each change adds to all logits, shape (*, d)."""
        logits, change = x @ self.signed.mT, y - x
        return logsigmoid(torch.addcmul(logits[..., None], self.signed, change[..., None, :])).sum(
            -2
        )

    def expectation(self, point: Tensor) -> Tensor:
        """E f at a point (2, d), a scalar, by Gauss–Hermite quadrature over each logit."""
        mu, sigma = point[0], point[1].exp()
        y, weights = gauss_hermite(LOGIT_NODES, point)
        centre, spread = self.signed @ mu, (self.signed**2 @ sigma**2).sqrt()
        return (logsigmoid(centre + spread * y) * weights[:, None]).sum()

    def gradient(self) -> Tensor:
        """Of `expectation`, by autograd in float64."""
        return torch.func.grad(self.expectation)(self.point)

    def _optimum(self) -> Tensor:
        """Where the ELBO is largest, by L-BFGS from the prior, shape (2, d)."""

        def loss(point: Tensor) -> Tensor:
            mu, tau = point
            divergence = (mu**2 + (2 * tau).exp() - 1).sum() / 2 - tau.sum()
            return divergence - self.expectation(point)

        def both(flat: np.ndarray) -> tuple[float, np.ndarray]:
            found = torch.func.grad_and_value(loss)(torch.from_numpy(flat).view(2, -1))
            return float(found[1]), found[0].flatten().numpy()

        start = np.zeros(2 * self.signed.shape[1])
        options = {"maxiter": 2000, "maxfun": 4000, "ftol": 0.0, "gtol": STILL}
        found = minimize(both, start, jac=True, method="L-BFGS-B", options=options)
        return torch.from_numpy(found.x).view(2, -1)


@cache
def breast_cancer() -> Tensor:
    """Signed features: 30, their squares and products, all standardised; shape (569, 495)."""
    features, classes = load_breast_cancer(return_X_y=True)
    plain = StandardScaler().fit_transform(features)
    products = PolynomialFeatures(2, include_bias=False).fit_transform(plain)
    return torch.from_numpy(StandardScaler().fit_transform(products) * (2 * classes - 1)[:, None])
