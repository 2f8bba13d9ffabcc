import pytest
import torch

from nicelab.machine import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({}, "float32"),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, "float32"),
        ({"avx512_f": True, "avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
    ],
)
def test_auto_follows_the_processors_instructions(
    features: dict, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert precision.resolve("auto", CPU) == expected
    assert precision.resolve("float32", CPU) == "float32"
    assert precision.resolve("bfloat16", CPU) == "bfloat16"


def test_auto_on_a_gpu_asks_for_real_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    def supported(including_emulation: bool) -> bool:
        return including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert precision.resolve("auto", torch.device("cuda")) == "float32"


def test_other_devices_stay_with_float32() -> None:
    assert precision.resolve("auto", torch.device("meta")) == "float32"


def test_this_processor_says_what_it_has() -> None:
    """The names are those that this version of PyTorch knows, or `auto` would mean nothing."""
    if torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        assert {"avx512_bf16", "amx_bf16"} <= torch.cpu.get_capabilities().keys()


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_products_have_the_precision(name: precision.Precision) -> None:
    a = torch.randn(3, 3)
    with precision.autocast(name, CPU):
        assert (a @ a).dtype == getattr(torch, name)
        assert (a + a).dtype == torch.float32
