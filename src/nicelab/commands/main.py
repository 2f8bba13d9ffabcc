"""The command `nicelab`."""

from importlib import import_module
from types import MappingProxyType

import click

COMMANDS = MappingProxyType(  # module, and what it does
    {
        "check": ("check", "Check all parameters; tell what a run would do, and how long."),
        "timings": ("timings", "Tell where the time of the last runs went."),
        "compare": ("compare", "Compare metrics across commits or experiments."),
        "report": ("report", "Render the report, also against another revision."),
        "sample": ("model", "Draw images from a trained flow."),
        "log-prob": ("model", "Log-likelihood of images under a trained flow."),
        "inpaint": ("model", "Complete an image with a trained flow."),
    }
)


class Lazy(click.Group):
    """Imports the module of the command that is called, and none for the list of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"nicelab.commands.{COMMANDS[cmd_name][0]}")
        return getattr(module, cmd_name.replace("-", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What each does."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


@click.group(cls=Lazy)
@click.version_option(package_name="nicelab")
def main() -> None:
    """Use a trained flow, and compare runs. The pipeline itself is run with `dvc repro`."""
