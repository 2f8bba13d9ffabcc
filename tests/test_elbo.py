import pytest
import torch
from torch.func import grad, vmap

from nicelab import elbo
from nicelab.device import generator
from nicelab.elbo import Elbo

CONFIG = Elbo(x=[1.0, -2.0], mean=[0.0, -0.5], log_scale=[0.2, -0.5], samples=100_000)
PHI = torch.tensor([CONFIG.mean, CONFIG.log_scale], dtype=torch.float64)
X = torch.tensor(CONFIG.x, dtype=torch.float64)


def draw(n: int) -> torch.Tensor:
    y = torch.randn(n, 2, generator=generator(0), dtype=torch.float64)
    return PHI[0] + PHI[1].exp() * y


def log_q(phi: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    return torch.distributions.Normal(phi[0], phi[1].exp()).log_prob(z).sum(-1)


def test_score_is_that_of_autograd() -> None:
    z = draw(5)
    torch.testing.assert_close(elbo.score(PHI, z), vmap(grad(log_q), (None, 0))(PHI, z))


def test_elbo_is_the_mean_log_ratio() -> None:
    """Within 4 standard errors."""
    ratios = elbo.log_ratio(PHI, X, draw(100_000))
    error = ratios.std() / 100_000**0.5
    assert abs(ratios.mean() - elbo.exact(PHI, X)) < 4 * error


def test_log_ratio_is_that_of_torch() -> None:
    z = draw(5)
    normal = torch.distributions.Normal
    joint = (normal(0.0, 1.0).log_prob(z) + normal(z, 1.0).log_prob(X)).sum(-1)
    torch.testing.assert_close(elbo.log_ratio(PHI, X, z), joint - log_q(PHI, z))


def test_identity_within_4_standard_errors() -> None:
    for row in elbo.study(CONFIG, seed=0).values():
        assert abs(row["gradient"].z_score(row["exact_gradient"].value)) < 4
        assert abs(row["score"].z_score(0)) < 4


def test_without_the_other_samples_score_the_identity_fails() -> None:
    """The fault of problem 6, σ for σ², breaks it here too."""
    z = draw(100_000)
    wrong = elbo.score(PHI, z)
    wrong[:, 1] = (z - PHI[0]) ** 2 / PHI[1].exp() - 1
    estimates = wrong * elbo.log_ratio(PHI, X, z)[:, None, None]
    exact = grad(elbo.exact)(PHI, X)
    z_score = (estimates.mean(0) - exact) / (estimates.std(0) / 100_000**0.5)
    assert (z_score[1].abs() > 4).all()


def test_gradient_in_closed_form() -> None:
    """∂m = x − 2m, ∂t = 1 − 2e^{2t}."""
    exact = grad(elbo.exact)(PHI, X)
    torch.testing.assert_close(exact[0], X - 2 * PHI[0])
    torch.testing.assert_close(exact[1], 1 - 2 * (2 * PHI[1]).exp())


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="must be of one length"):
        Elbo(x=[1.0], mean=[0.0, 1.0], log_scale=[0.0], samples=10)
