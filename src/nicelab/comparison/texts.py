"""Names and values of another revision, whatever they hold, for a terminal or Markdown."""

import re


def plain(text: str) -> str:
    """In one line that gives no orders: what is not printable, such as an escape, as its code."""
    return "".join(x if x.isprintable() else ascii(x)[1:-1] for x in text)


def literal(text: str) -> str:
    """For Markdown that shows the text and nothing else: no cell ends, no HTML, no link."""
    return re.sub(r"([\\`*\[\]<>|&$~]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", plain(text))
