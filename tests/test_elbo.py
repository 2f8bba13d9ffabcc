import pytest
import torch
from torch.func import grad, vmap

from nicelab.gradients import elbo
from nicelab.gradients.elbo import Elbo
from nicelab.streams import generator

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


def test_the_product_rule_of_the_identity_by_quadrature() -> None:
    """∇ ∫ q log(h/q) = ∫ q ∇ log q log(h/q) − ∫ q ∇ log q, of which the last is zero."""
    z = torch.linspace(-30, 30, 100_001, dtype=torch.float64)[:, None]
    dz, phi, log_h = 60 / 100_000, PHI[:, :1], (torch.exp(torch.sin(z[:, 0])) - z[:, 0] ** 2 / 3)

    def bound(phi: torch.Tensor) -> torch.Tensor:
        return (log_q(phi, z).exp() * (log_h - log_q(phi, z))).sum() * dz

    weighted = (log_q(phi, z).exp() * dz)[:, None, None] * elbo.score(phi, z)
    first = (weighted * (log_h - log_q(phi, z))[:, None, None]).sum(0)
    torch.testing.assert_close(grad(bound)(phi), first)
    assert weighted.sum(0).abs().max() < 1e-12
    assert first.abs().min() > 0.05


def test_the_product_rule_is_that_of_autograd() -> None:
    """∇ q log(h/q), divided by q, sample by sample."""

    def integrand(phi: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return log_q(phi, z).exp() * elbo.log_ratio(phi, X, z[None])[0]

    z = draw(5)
    expected = vmap(grad(integrand), (None, 0))(PHI, z) / log_q(PHI, z).exp()[:, None, None]
    torch.testing.assert_close(elbo.product_rule(PHI, X, z), expected)


def test_the_identity_needs_a_support_that_stays() -> None:
    """Uniform on [0, φ], h = 1: the ELBO is log φ, E[∇ log q] is −1/φ."""
    phi = torch.tensor(2.0, dtype=torch.float64)
    score = grad(lambda phi: -torch.log(phi))(phi)
    torch.testing.assert_close(score, -1 / phi)
    assert abs(score * torch.log(phi) - grad(torch.log)(phi)) > 0.1


def test_all_estimators_within_4_standard_errors() -> None:
    found = elbo.measure(CONFIG, seed=0)
    found.pop("variances")
    for row in found.values():
        exact = row["exact_gradient"].value
        assert row["estimators"].keys() == elbo.ESTIMATORS.keys()
        for estimate in (row["gradient"], *row["estimators"].values()):
            assert abs(estimate.z_score(exact)) < 4
        assert abs(row["score"].z_score(0)) < 4


@pytest.mark.parametrize("name", ["sticking_the_landing", "pathwise"])
def test_paths_are_those_of_autograd(name: str) -> None:
    y = torch.randn(5, 2, generator=generator(1), dtype=torch.float64)

    def along_the_path(phi: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        z = phi[0] + phi[1].exp() * y
        q = phi.detach() if name == "sticking_the_landing" else phi
        return elbo.log_ratio(q, X, z[None])[0]

    z = PHI[0] + PHI[1].exp() * y
    torch.testing.assert_close(
        elbo.ESTIMATORS[name].terms(PHI, X, z),
        torch.stack(
            [
                torch.autograd.functional.jacobian(lambda p, row=row: along_the_path(p, row), PHI)
                for row in y
            ]
        ),
    )


def test_sticking_the_landing_has_no_variance_at_the_posterior() -> None:
    phi = elbo.posterior(X)
    torch.testing.assert_close(grad(elbo.exact)(phi, X), torch.zeros(2, 2, dtype=torch.float64))
    variances = elbo.measure(CONFIG, seed=0)["variances"]
    assert variances["sticking_the_landing"]["at_the_posterior"].value < 1e-25
    assert variances["pathwise"]["at_the_posterior"].value > 1


def test_any_constant_baseline_has_the_same_mean() -> None:
    z = draw(100_000)
    for baseline in (-3.0, 0.5, 10.0):
        found = elbo.score(PHI, z) * (elbo.log_ratio(PHI, X, z) - baseline)[:, None, None]
        error = found.std(0) / 100_000**0.5
        assert ((found.mean(0) - grad(elbo.exact)(PHI, X)).abs() < 4 * error).all()


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
