import pytest
import torch
from torch.optim import AdamW

from nicelab.errors import InputError
from nicelab.flows.flow import Flow
from nicelab.flows.names import names
from nicelab.images.levels import dequantise
from nicelab.likelihood.recipe import Training, rate_factor
from nicelab.likelihood.training import Run, Trained
from nicelab.streams import generator
from small import DIMENSIONS, small

CONFIG = Training(
    epochs=4,
    batch=20,
    learning_rate=2e-3,
    scale_rate=5.0,
    warm_up=0,
    schedule="linear",
    weight_decay=0.1,
    clip=None,
    precision="float32",
    seed=0,
)


class Silent:
    def __init__(self) -> None:
        self.images = 0

    def resume(self, epochs: int) -> None:
        self.resumed = epochs

    def step(self, images: int, log_likelihood: torch.Tensor) -> None:
        self.images += images

    def epoch(self, row: dict[str, float]) -> None:
        pass


def pixels(n: int, seed: int = 0) -> torch.Tensor:
    """Grey levels whose odd entries follow from the even ones, so that there is much to learn."""
    half = torch.randint(
        0, 256, (n, DIMENSIONS // 2), generator=generator(seed), dtype=torch.uint8
    )
    return torch.stack([half, half // 2], dim=-1).flatten(1)


def fit(family: str = "nice", **changes: object) -> tuple[Flow, Trained, Silent]:
    model, silent = small(family), Silent()
    config = CONFIG.model_copy(update=changes)
    return model, Run(config, silent).train(model, pixels(110), pixels(40, 1)), silent


families = pytest.mark.parametrize("family", names())


@families
def test_learns(family: str) -> None:
    _, trained, silent = fit(family, epochs=60)
    start, end = (trained.curve[k]["training_log_likelihood"] for k in (0, -1))
    assert end > start + 5
    assert trained.validation.value > trained.curve[0]["validation_log_likelihood"] + 1
    assert silent.images == 60 * 100


@families
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_same_seed_gives_the_same_bytes(family: str, precision: str) -> None:
    (one, a, _), (two, b, _) = fit(family, precision=precision), fit(family, precision=precision)
    other, c, _ = fit(family, precision=precision, seed=1)
    assert a == b != c
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name])
    weights = zip(one.parameters(), other.parameters(), strict=True)
    assert not all(torch.equal(w, v) for w, v in weights)


@families
def test_bfloat16_ends_near_float32(family: str) -> None:
    ends = [fit(family, precision=p)[1].validation for p in ("float32", "bfloat16")]
    assert abs(ends[0].value - ends[1].value) < 4 * ends[0].standard_error


@pytest.mark.parametrize(("family", "rate"), [("nice", 0.05), ("glow", 2e-3)])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_keeps_the_best_validation_weights(family: str, rate: float, precision: str) -> None:
    """With a rate that overshoots late, or overfits, the kept weights are not the last ones.

    The likelihood of the kept weights is in float32, whatever the precision on the way.
    """
    model, trained, _ = fit(
        family, epochs=40, learning_rate=rate, schedule="constant", precision=precision
    )
    values = [row["validation_log_likelihood"] for row in trained.curve]
    assert max(values) > values[-1]
    assert trained.validation.value == pytest.approx(max(values), abs=0.2)
    assert trained.precision == precision
    assert trained.curve[trained.best_epoch - 1]["validation_log_likelihood"] == max(values)
    kept = model.log_likelihoods(dequantise(pixels(40, 1), generator(0, "validation")))
    assert float(kept.mean()) == pytest.approx(trained.validation.value, abs=1e-4)


@families
def test_the_result_is_a_plain_flow(family: str) -> None:
    assert fit(family)[0].state_dict().keys() == small(family).state_dict().keys()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_long_gradients_are_cut(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients are looked at where the optimiser sees them."""
    norms: list[float] = []
    original = AdamW.step

    def record(self: AdamW, *args: object) -> None:
        gradients = [w.grad for group in self.param_groups for w in group["params"]]
        norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))
        return original(self, *args)

    monkeypatch.setattr(AdamW, "step", record)
    fit("glow", clip=2.0, precision=precision)
    assert max(norms) == pytest.approx(2.0, abs=1e-3)
    norms.clear()
    fit("glow", clip=1e9, precision=precision)
    assert max(norms) > 20


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_schedules_fall_from_one_to_zero(kind: str) -> None:
    factor = rate_factor(CONFIG.model_copy(update={"schedule": kind}), 10)
    values = [factor(k) for k in range(11)]
    assert values[0] == 1
    assert values[-1] == pytest.approx(0)
    assert values == sorted(values, reverse=True)


def test_the_rate_rises_while_it_warms_up() -> None:
    factor = rate_factor(CONFIG.model_copy(update={"schedule": "constant", "warm_up": 3}), 10)
    assert [factor(k) for k in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@families
def test_divergence_names_the_epoch_and_the_value(family: str) -> None:
    with pytest.raises(InputError, match=r"of epoch 1 is (nan|-?inf); no model is kept"):
        fit(family, learning_rate=1e30)


def test_a_batch_larger_than_the_data() -> None:
    with pytest.raises(InputError, match=r"train\.batch must be <= the 110 .* got 500"):
        fit(batch=500)


def test_every_epoch_has_its_own_order_and_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    original = Flow.log_prob

    def record(self: Flow, x: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            seen.append(x.detach())
        return original(self, x)

    monkeypatch.setattr(Flow, "log_prob", record)
    fit(epochs=2, batch=110)
    one, two = seen
    assert not torch.equal(one, two)
    levels = [(256 * x).floor().clamp(0, 255) for x in seen]
    assert not torch.equal(*levels)
    assert torch.equal(*[sort_rows(level) for level in levels])


def sort_rows(x: torch.Tensor) -> torch.Tensor:
    return torch.tensor(sorted(x.tolist()))
