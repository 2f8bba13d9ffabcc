import subprocess
import sys

import click
import pytest
import torch
from click.testing import CliRunner

from nicelab.machine.device import device_option
from nicelab.streams import generator

CHOOSE_DEVICE = """
import torch
from nicelab.machine.device import _resolve
_resolve(None, None, "cpu")
print(float((torch.full((1_000_000,), 1e-30) * 1e-10).max()))
"""


def test_streams_are_reproducible_and_their_own() -> None:
    def draw(*stream: str | int) -> float:
        return float(torch.rand(1, generator=generator(*stream), dtype=torch.float64))

    streams = [(0, "noise"), (1, "noise"), (0, "order"), (0, "noise", 1), (0, "noise", 2)]
    assert len({draw(*s) for s in streams}) == len(streams)
    assert draw(0, "noise", 2) == draw(0, "noise", 2)


@click.command()
@device_option
def show(device: torch.device) -> None:
    click.echo(device.type)


def test_option_and_variable() -> None:
    assert CliRunner().invoke(show, ["--device", "cpu"]).output == "cpu\n"
    assert CliRunner().invoke(show, [], env={"NICELAB_DEVICE": "cpu"}).output == "cpu\n"
    assert CliRunner().invoke(show, []).output in ("cpu\n", "cuda\n")


@pytest.mark.slow
def test_denormal_numbers_count_as_zero_in_every_thread() -> None:
    small = torch.full((1_000_000,), 1e-30)
    torch.set_flush_denormal(False)
    assert float(small[0] * 1e-10) > 0
    done = subprocess.run(
        [sys.executable, "-c", CHOOSE_DEVICE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0.0\n"


@pytest.mark.parametrize("name", ["toaster", "cuda:99", ""])
def test_a_device_that_is_not_there(name: str) -> None:
    result = CliRunner().invoke(show, ["--device", name])
    assert result.exit_code == 1
    assert result.output.startswith("Error: --device must be one that works here, got")
    assert result.output.count("\n") == 1
