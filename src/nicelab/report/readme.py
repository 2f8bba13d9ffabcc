"""Write the table of results into the README: `python -m nicelab.report.readme`."""

from pathlib import Path

import click

from nicelab.errors import InputError
from nicelab.pipeline.artifacts import writing
from nicelab.pipeline.options import PATH
from nicelab.report.contents import read_results
from nicelab.report.headlines.results import headlines, markdown

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def with_results(readme: str, table: str) -> str:
    """The README's text with this table between its two marks.

    Raises:
        InputError: the marks are not there.
    """
    try:
        before, rest = readme.split(BEGIN)
        _, after = rest.split(END)
    except ValueError:
        raise InputError(f"README.md must hold {BEGIN} and {END} once each") from None
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


@click.command()
@click.option("--readme", type=PATH, default="README.md", show_default=True)
@click.option("--results", type=PATH, default="results", show_default=True)
def main(readme: Path, results: Path) -> None:
    """Put the headlines of RESULTS into the README."""
    table = markdown(headlines(read_results(results)))
    text = with_results(readme.read_text(encoding="utf-8"), table)
    with writing(readme) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
