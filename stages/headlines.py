"""Pick the few numbers that are compared across commits."""

from pathlib import Path

import click

from nicelab.errors import InputError
from nicelab.flows.names import chosen
from nicelab.pipeline.artifacts import write_metrics
from nicelab.pipeline.files import require_writable
from nicelab.pipeline.options import PATH, params_option
from nicelab.pipeline.stage import Stage
from nicelab.report.contents import read_results
from nicelab.report.headlines.results import headlines, metrics


@click.command(cls=Stage)
@click.argument("results", type=PATH)
@click.option(
    "--metrics",
    "paths",
    type=PATH,
    multiple=True,
    required=True,
    help="Where to write those of a study, by its name (.json); once for each.",
)
@params_option
def main(results: Path, paths: tuple[Path, ...], params: Path) -> None:
    """Write the headlines of all studies in RESULTS."""
    require_writable(*paths)
    found = metrics(headlines(read_results(results, chosen(params))))
    if missing := set(found) - {path.stem for path in paths}:
        raise InputError(f"--metrics must name a file for each of {', '.join(sorted(missing))}")
    for path in paths:  # a study may have none: the judge's, where images have no classes
        write_metrics(path, found.get(path.stem, {}))


if __name__ == "__main__":
    main()
