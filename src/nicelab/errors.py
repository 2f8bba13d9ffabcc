"""The one error a user meets: a line that says what was wrong and what to do."""

import click


class InputError(click.ClickException):
    """A mistake in what the user gave: a parameter, a file, an option.

    Click prints it as the single line `Error: …` and exits with status 1, without a traceback.
    """
