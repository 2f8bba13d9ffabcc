"""The command `nicelab`."""

import click

from nicelab.commands.compare import compare
from nicelab.commands.model import inpaint, log_prob, sample
from nicelab.commands.report import report
from nicelab.commands.timings import timings


@click.group()
def main() -> None:
    """Use a trained flow, and compare runs. The pipeline itself is run with `dvc repro`."""


for command in (compare, report, sample, log_prob, inpaint, timings):
    main.add_command(command)
