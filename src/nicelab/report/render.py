"""Metrics and figures as one HTML page that needs no network, or as Markdown."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from bs4 import BeautifulSoup
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from latex2mathml.converter import convert
from markdownify import MarkdownConverter
from markupsafe import Markup
from PIL import Image, ImageSequence

from nicelab import formatting, published
from nicelab.report import headlines

NOT_IN_MARKDOWN = "nav, .skip, .close, #sources, .how, script, label"
FILM_WIDTH = 960  # pixels


def render(
    metrics: Mapping[str, Any],
    figures: Mapping[str, bytes],
    provenance: Mapping[str, Mapping[str, str]],
    sources: Mapping[str, str],
    since: Mapping[str, Any] | None = None,
) -> str:
    """The report.

    Args:
        metrics: content of each metrics file, by its name; a number that the page needs and
            does not find stops the rendering.
        figures: PNG files by study.
        provenance: tables of names and values, by their title.
        sources: source code by stage.
        since: what has changed: `before`, the revision; `summary`, lines; `headings` and `rows`.

    Raises:
        jinja2.UndefinedError: a number is missing from the metrics.
    """
    template = _template(
        math=_math,
        uri=lambda study: _data_uri(figures[study]),
        dots=lambda study: _dots(figures[study]),
        film=lambda study: _film(figures[study]),
    )
    return template.render(_context(metrics, provenance, sources, since))


def render_markdown(
    metrics: Mapping[str, Any],
    folder: str,
    provenance: Mapping[str, Mapping[str, str]],
) -> str:
    """The same as Markdown, for the page of a repository; pictures are links into a folder."""
    template = _template(
        math=lambda latex, display="inline": (
            f"$${latex}$$" if display == "block" else f"${latex}$"
        ),
        uri=lambda study: f"{folder}/{study}.png",
        dots=lambda study: [],
        film=lambda study: {"uri": f"{folder}/{study}.png", "frames": 1, "width": 1, "height": 1},
    )
    page = BeautifulSoup(template.render(_context(metrics, provenance, {}, None)), "html.parser")
    for element in page.select(NOT_IN_MARKDOWN):
        element.decompose()
    for link in page.select(".frame a"):
        link.unwrap()
    converter = MarkdownConverter(
        heading_style="ATX", escape_underscores=False, escape_asterisks=False
    )
    return re.sub(r"\n{3,}", "\n\n", converter.convert_soup(page.body)).strip() + "\n"


def _template(**functions: Callable[..., Any]) -> Template:
    environment = Environment(
        loader=PackageLoader("nicelab", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pm"] = formatting.estimate
    environment.filters["num"] = formatting.number
    environment.globals |= functions
    return environment.get_template("report.html.jinja")


def _context(
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Mapping[str, str]],
    sources: Mapping[str, str],
    since: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "m": metrics,
        "results": headlines.rows(dict(metrics)),
        "headings": headlines.HEADINGS,
        "provenance": provenance,
        "published": published,
        "sources": sources,
        "since": since,
    }


def _math(latex: str, display: str = "inline") -> Markup:
    """A formula as MathML, which browsers draw without a script; a wide one can be scrolled."""
    formula = Markup(convert(latex, display=display))
    if display == "inline":
        return formula
    box = '<div class="formula" tabindex="0" role="group" aria-label="Formula">{}</div>'
    return Markup(box).format(formula)


def _dots(png: bytes) -> list[dict[str, Any]]:
    """What the points of a figure say to a mouse, and where they are, in per cent."""
    with Image.open(BytesIO(png)) as picture:
        return json.loads(picture.info.get("dots", "[]"))


def _film(png: bytes) -> dict[str, Any]:
    """All frames of a moving picture below one another, and the size of one."""
    with Image.open(BytesIO(png)) as picture:
        size = FILM_WIDTH, round(picture.height * FILM_WIDTH / picture.width)
        frames = [frame.convert("L").resize(size) for frame in ImageSequence.Iterator(picture)]
    strip, buffer = Image.new("L", (size[0], size[1] * len(frames))), BytesIO()
    for k, frame in enumerate(frames):
        strip.paste(frame, (0, k * size[1]))
    strip.save(buffer, "WEBP", quality=80)
    uri = _data_uri(buffer.getvalue(), "webp")
    return {"uri": uri, "frames": len(frames), "width": size[0], "height": size[1]}


def _data_uri(picture: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode("ascii")
