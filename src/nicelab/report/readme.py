"""Write the results into the README: `python -m nicelab.report.readme`."""

from pathlib import Path

import click

from nicelab.errors import InputError
from nicelab.flows.names import chosen
from nicelab.pipeline.files import writing
from nicelab.pipeline.options import PATH, params_option
from nicelab.report import findings
from nicelab.report.contents import Results, read_results
from nicelab.report.headlines.results import headlines, markdown

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def shown(results: Results) -> str:
    """What was found in sentences, and all headlines in a table."""
    return f"{findings.markdown(findings.findings(results))}\n\n{markdown(headlines(results))}"


def with_results(readme: str, results: str) -> str:
    """The README's text with these results between its two marks.

    Raises:
        InputError: the marks are not there.
    """
    try:
        before, rest = readme.split(BEGIN)
        _, after = rest.split(END)
    except ValueError:
        raise InputError(f"README.md must hold {BEGIN} and {END} once each") from None
    return f"{before}{BEGIN}\n{results}\n{END}{after}"


@click.command()
@click.option("--readme", type=PATH, default="README.md", show_default=True)
@click.option("--results", type=PATH, default="results", show_default=True)
@params_option
def main(readme: Path, results: Path, params: Path) -> None:
    """Put what RESULTS say into the README."""
    found = shown(read_results(results, chosen(params)))
    text = with_results(readme.read_text(encoding="utf-8"), found)
    with writing(readme) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
