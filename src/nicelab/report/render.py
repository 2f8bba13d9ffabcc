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
from nicelab.pipeline.metrics import Metrics
from nicelab.report.contents import Contents, Made, Results, Since
from nicelab.report.findings import findings
from nicelab.report.headlines import results
from nicelab.report.headlines.convolution import largest_error
from nicelab.report.tables import (
    ablation,
    convolution,
    descents,
    dimensions,
    discrete,
    gradients,
    importance,
    inpainting,
    likelihood,
    tandem,
)
from nicelab.report.tables.table import NONE, Table, first

NOT_IN_MARKDOWN = "nav, .skip, .close, #sources, .how, script, label"
FILM_WIDTH, HIGHEST = 720, 16383  # pixels; a WebP cannot be higher
COUNTS = (
    "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
).split()


def render(contents: Contents, since: Since | None = None, made: Made | None = None) -> str:
    """The report.

    Args:
        contents: results, pictures, their provenance and the stages' sources.
        since: what has changed since another revision, if the report is to tell.
        made: when, where and from which commit, if the report is to tell.

    Raises:
        InputError: a number or picture that the page needs is missing.
    """
    figures = contents.figures
    template = _template(
        math=_math,
        uri=lambda study: _data_uri(figures[study]),
        dots=lambda study: _dots(figures[study]),
        film=lambda study: _film(figures[study]),
    )
    return template.render(_context(contents), sources=contents.sources, since=since, made=made)


def render_markdown(contents: Contents, folder: str) -> str:
    """The same as Markdown, for the page of a repository; pictures are links into a folder."""
    template = _template(
        math=lambda latex, display="inline": (
            f"$${latex}$$" if display == "block" else f"${latex}$"
        ),
        uri=lambda study: f"{folder}/{study}.png",
        dots=lambda study: [],
        film=lambda study: {"uri": f"{folder}/{study}.png", "frames": 1, "width": 1, "height": 1},
    )
    text = template.render(_context(contents), sources={}, since=None, made=None)
    page = BeautifulSoup(text, "html.parser")
    for element in page.select(NOT_IN_MARKDOWN):
        element.decompose()
    for link in page.select(".frame a"):
        link.unwrap()
    for summary in page.select("summary"):
        summary.name = "p"
    converter = _Converter(heading_style="ATX", escape_underscores=False, escape_asterisks=False)
    return re.sub(r"\n{3,}", "\n\n", converter.convert_soup(page.body)).strip() + "\n"


class _Converter(MarkdownConverter):
    """Text that would begin HTML or a link, such as the title of one's own data, stays text."""

    def escape(self, text: str, parent_tags: set[str]) -> str:
        return re.sub(r"<(?=[A-Za-z/!?])|\](?=\()", r"\\\g<0>", super().escape(text, parent_tags))


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
    environment.globals["NONE"] = NONE
    environment.globals |= functions
    return environment.get_template("report.html.jinja")


def _context(contents: Contents) -> dict[str, Any]:
    metrics = contents.metrics
    return {
        "m": metrics,
        "tables": _tables(metrics),
        "counts": _counts(first(metrics["inpainting"]), metrics["importance"]),
        "first": next(iter(metrics["training"])),
        "findings": findings(metrics),
        "told": {
            "likelihood": _of_each(likelihood.told, metrics["likelihood"]),
            "inpainting": _of_each(inpainting.told, metrics["inpainting"]),
            "ablation": ablation.told(metrics["ablation"]),
            "importance": importance.told(metrics["importance"]["methods"]),
            "tandem": tandem.told(metrics["tandem"]),
            "gradients": gradients.told(metrics["gradients"]),
            "descents": descents.told(metrics["gradients"]),
            "dimensions": dimensions.told(metrics["dimensions"]),
            "discrete": discrete.told(metrics["discrete"]),
        },
        "largest_claims_error": largest_error(metrics["convolution"]),
        "provenance": [
            Table(title, ("name", "value"), list(values.items()))
            for title, values in contents.provenance.items()
        ],
        "published": published,
    }


def _of_each(
    told: Callable[[Metrics], dict[str, str]], flows: Mapping[str, Metrics]
) -> dict[str, list[str]]:
    """What is told of every flow, by what it is about."""
    each = [told(metrics) for metrics in flows.values()]
    return {name: [text[name] for text in each] for name in each[0]}


def _tables(metrics: Results) -> dict[str, Table | None]:
    """Every table of results, by the name that the template knows it by."""
    completions, gambler = metrics["inpainting"], metrics["importance"]
    descent = metrics["gradients"]
    compared, measured = results.tables(results.headlines(metrics))
    return {
        "compared": compared,
        "measured": measured,
        "likelihoods": likelihood.likelihoods(metrics["likelihood"]),
        "other_images": likelihood.other_images(metrics["diagnostics"]),
        "samples": likelihood.samples(metrics["samples"]),
        "scales": likelihood.scales(metrics["samples"]),
        "ascents": inpainting.ascents(completions),
        "errors": inpainting.errors(completions),
        "means": inpainting.means(completions),
        "chains": inpainting.chains(completions),
        "claims": convolution.claims(metrics["convolution"]),
        "ablation": ablation.rungs(metrics["ablation"]),
        "gambler": importance.estimators(gambler),
        "learning": importance.learning(gambler),
        "intervals": importance.intervals(gambler),
        "coverage": importance.coverage(gambler),
        "rarity": importance.rarity(gambler),
        "tandem": tandem.estimators(metrics["tandem"]),
        "answers": tandem.answers(metrics["tandem"]),
        "descents": gradients.descents(descent),
        "settled": descents.settled(descent),
        "wandering": descents.wandering(descent),
        "budget": descents.budget(descent),
        "nodes": descents.nodes(descent),
        "stationary_points": gradients.stationary_points(descent),
        "faults": gradients.faults(descent),
        "estimators": gradients.estimators(descent),
        "elbo": gradients.elbo(descent),
        "elbo_variances": gradients.elbo_variances(descent),
        "bits": discrete.bits(metrics["discrete"]),
        "biases_of_bits": discrete.biases(metrics["discrete"]),
        "growth": dimensions.growth(metrics["dimensions"]),
    }


def _counts(completions: Metrics, gambler: Metrics) -> dict[str, str]:
    """How many things a picture shows, in words."""
    methods = gambler["methods"].values()
    counts = {
        "rules": len(completions["published"]),
        "starts": len(completions["ascent"]),
        "proposals": sum("hits" in method for method in methods),  # splitting has none
        "estimators": sum(method["work"].value > 0 for method in methods),
    }
    return {name: _in_words(count) for name, count in counts.items()}


def _in_words(count: int) -> str:
    return COUNTS[count] if count < len(COUNTS) else str(count)


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
        highest = HIGHEST // picture.n_frames
        width = min(FILM_WIDTH, highest * picture.width // picture.height)
        size = width, min(highest, round(picture.height * width / picture.width))
        frames = [frame.convert("L").resize(size) for frame in ImageSequence.Iterator(picture)]
    strip, buffer = Image.new("L", (size[0], size[1] * len(frames))), BytesIO()
    for k, frame in enumerate(frames):
        strip.paste(frame, (0, k * size[1]))
    strip.save(buffer, "WEBP", quality=60)
    uri = _data_uri(buffer.getvalue(), "webp")
    return {"uri": uri, "frames": len(frames), "width": size[0], "height": size[1]}


def _data_uri(picture: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode("ascii")
