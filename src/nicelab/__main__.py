"""`python -m nicelab`, for where the command is not on the path."""

from nicelab.commands.main import main

main(prog_name="nicelab")
