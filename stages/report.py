"""Render the report."""

import os
from pathlib import Path

import click

from nicelab.pipeline.files import require_writable, writing
from nicelab.pipeline.options import PATH, output, params_option
from nicelab.pipeline.stage import Stage
from nicelab.report.contents import read_contents
from nicelab.report.render import render, render_markdown


@click.command(cls=Stage)
@click.argument("results", type=PATH)
@click.argument("figures", type=PATH)
@click.argument("stages", type=PATH)
@output("--report", "the page (.html)")
@output("--markdown", "the same as Markdown, with links to the figures (.md)")
@params_option
def main(
    results: Path, figures: Path, stages: Path, report: Path, markdown: Path, params: Path
) -> None:
    """Render RESULTS, FIGURES and the code in STAGES as one HTML page, and as Markdown."""
    require_writable(report, markdown)
    contents = read_contents(results, figures, stages, params)
    folder = os.path.relpath(figures, markdown.parent)
    pages = {report: render(contents), markdown: render_markdown(contents, folder)}
    for path, text in pages.items():
        with writing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
