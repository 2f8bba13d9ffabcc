"""The contract, on a family of the tests' own: an affine map, whose density is a formula."""

import sys
from typing import Any

import pytest
import torch
from scipy import stats
from torch import Tensor

from affine import Affine, Architecture
from nicelab.flows import checkpoint, names, registry
from nicelab.flows.families.nice.logistic import Logistic
from nicelab.flows.flow import Flow
from nicelab.images.levels import dequantise
from nicelab.images.shapes import MNIST
from nicelab.likelihood.diagnostics import Diagnosis, diagnose
from nicelab.likelihood.evaluation import Evaluation, measure
from nicelab.likelihood.recipe import Training
from nicelab.likelihood.sampling import Sampling, look
from nicelab.likelihood.training import Run
from nicelab.streams import generator
from small import image_set

DIMENSIONS = 784
RECIPE = Training(
    epochs=2,
    batch=20,
    learning_rate=1e-2,
    scale_rate=1.0,
    warm_up=0,
    schedule="constant",
    weight_decay=0.0,
    clip=None,
    precision="float32",
    seed=0,
)


@pytest.fixture
def levels() -> Tensor:
    return torch.randint(
        0, 256, (60, DIMENSIONS), generator=generator(0, "levels"), dtype=torch.uint8
    )


@pytest.fixture
def affine(levels: Tensor) -> Affine:
    """Trained, as any family is, by code that knows the contract alone."""
    model = Affine(DIMENSIONS)
    silent = type("Silent", (), dict.fromkeys(("step", "epoch"), lambda *_: None))()
    trained = Run(RECIPE, silent).train(model, levels, levels[:30])
    assert len(trained.curve) == 2
    return model.requires_grad_(False)


def test_log_prob_is_the_formulas(affine: Affine) -> None:
    x = torch.rand(7, DIMENSIONS, generator=generator(1))
    exact = stats.norm.logpdf(x, affine.m, (-affine.log_scale).exp()).sum(-1)
    torch.testing.assert_close(affine.log_prob(x), torch.from_numpy(exact), rtol=1e-5, atol=0)
    torch.testing.assert_close(affine.log_likelihoods(x), affine.log_prob(x))


def test_samples_have_the_priors_distribution(affine: Affine) -> None:
    z, _ = affine(affine.sample(100, generator(2)))
    assert stats.kstest(z.flatten().numpy(), "norm").pvalue > 1e-3


def test_the_studies_take_any_family(affine: Affine, levels: Tensor) -> None:
    parts = dict.fromkeys(("training", "validation", "test"), levels)
    nats, _ = measure(affine, parts, Evaluation(draws=2, seed=0))
    assert nats.test.shape == (60,)
    data = image_set(levels.numpy(), labels=torch.arange(60).numpy() % 10)
    found, metrics = diagnose(affine, data, None, Diagnosis(images=10, seed=0))
    assert metrics["labels"]["prior"] == "normal"
    z = affine(dequantise(levels, generator(0, "test")))[0]
    exact = stats.kstest(z[:, 3].numpy(), "norm").statistic
    assert found.distances[3] == pytest.approx(exact)
    x = dequantise(levels, generator(3))
    config = Sampling(samples=100, temperatures=[1.0], grid=2, pairs=3, steps=4, seed=0)
    assert look(affine, x, x, MNIST, config)[0].spectrum is None


def test_checkpoints_find_the_family_by_its_name(
    affine: Affine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,  # noqa: ANN401
) -> None:
    """Another family is a package of the folder and nothing else."""
    monkeypatch.setattr(names, "names", lambda: ["affine", "nice"])
    monkeypatch.setattr(registry, "_module", {"affine": sys.modules["affine"]}.get)
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, affine, Architecture(family="affine"), MNIST, "noise")
    again, header = checkpoint.load(path, torch.device("cpu"))
    assert header["architecture"] == {"family": "affine"}
    x = torch.rand(3, DIMENSIONS, generator=generator(1))
    assert torch.equal(again.log_prob(x), affine.log_prob(x))


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of glow, nice, got 'realnvp'"):
        registry.rebuild({"family": "realnvp"}, (1, 2, 2))


def test_the_contract_cannot_be_left_half_done() -> None:
    class Half(Flow):
        prior = Logistic()

    with pytest.raises(TypeError, match="abstract"):
        Half(4)
