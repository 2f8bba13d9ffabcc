"""Metrics and figures as one HTML page that needs no network."""

import base64
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup

from nicelab import formatting, published
from nicelab.report import results


def render(
    metrics: Mapping[str, Any],
    figures: Mapping[str, bytes],
    provenance: Mapping[str, Mapping[str, str]],
) -> str:
    """The report.

    Args:
        metrics: content of each metrics file, by its name; a number that the page needs and
            does not find stops the rendering.
        figures: PNG files by study.
        provenance: tables of names and values, by their title.

    Raises:
        jinja2.UndefinedError: a number is missing from the metrics.
    """
    environment = Environment(
        loader=PackageLoader("nicelab", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pm"] = formatting.estimate
    environment.filters["num"] = formatting.number
    environment.globals["math"] = _math
    environment.globals["uri"] = lambda study: _data_uri(figures[study])
    return environment.get_template("report.html.jinja").render(
        m=metrics,
        results=results.rows(dict(metrics)),
        headings=results.HEADINGS,
        provenance=provenance,
        published=published,
    )


def _math(latex: str, display: str = "inline") -> Markup:
    """A formula as MathML, which browsers draw without a script."""
    return Markup(convert(latex, display=display))


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
