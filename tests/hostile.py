"""What a hostile user does to files and parameters, as hypothesis strategies.

Every kind of damage is a function that takes the path of a copy and changes it.
"""

import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nicelab.pipeline.artifacts import read_arrays, read_weights, write_arrays, write_weights

Damage = Callable[[Path], None]
DEEP = 100_000
ANSI = "\x1b[31mred\x1b[0m"
HTML = "<script>alert(1)</script>"
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1e300,
    10**30,
    math.nan,
    math.inf,
    -math.inf,
    "",
    "x" * 10_000,
    ANSI,
    HTML,
    "two\nlines",
    "../../etc",
    "$x_",
    [],
    [1, "a", None],
    {},
    {"a": {"b": 1}},
]
WORDS = (
    "-",
    "--",
    "-1",
    "x" * 300,
    "two\nlines",
    ANSI,
    HTML,
    "/dev/zero",
    "/dev/full",
    "no/such/file.npz",
    "../../beside",
    "nan",
    "1e999",
    "9" * 30,
    "0.5.5",
    "ü",
    "{}",
)


def bytes_damaged(changed: Callable[[bytearray, random.Random], bytes]) -> Callable[[int], Damage]:
    """Damage of the bytes of a file, by a seed."""

    def of_seed(seed: int) -> Damage:
        def damage(path: Path) -> None:
            path.write_bytes(changed(bytearray(path.read_bytes()), random.Random(seed)))

        damage.__name__ = f"{changed.__name__}-{seed}"
        return damage

    return of_seed


def flipped(content: bytearray, rng: random.Random) -> bytes:
    """One bit is another."""
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def truncated(content: bytearray, rng: random.Random) -> bytes:
    """Its end is missing."""
    return bytes(content[: rng.randrange(len(content))])


def zeroed(content: bytearray, rng: random.Random) -> bytes:
    """A part of it was never written."""
    first = rng.randrange(len(content))
    last = min(len(content), first + rng.choice((1, 16, 512, 4096)))
    content[first:last] = bytes(last - first)
    return bytes(content)


def appended(content: bytearray, rng: random.Random) -> bytes:
    """There is more than was written."""
    return bytes(content) + rng.randbytes(rng.choice((1, 100, 5000)))


def emptied(content: bytearray, rng: random.Random) -> bytes:
    """Nothing is in it, or noise."""
    return rng.choice((b"", rng.randbytes(1000), b"\n", b"{}", b"PK\x05\x06" + bytes(18)))


BYTES = [bytes_damaged(x) for x in (flipped, truncated, zeroed, appended, emptied)]


def other_contents(seed: int) -> Damage:
    """The file is whole, and its digest right, but what it holds is not what it was."""

    def damage(path: Path) -> None:
        rng = random.Random(seed)
        match path.suffix:
            case ".npz":
                write_arrays(path, **other_arrays(read_arrays(path), rng))
            case ".safetensors":
                weights, header = read_weights(path)
                if rng.random() < 0.5:
                    other = other_arrays(weights, rng)
                    weights = {k: x for k, x in other.items() if x.dtype.kind in "fiub"}
                else:
                    header = other_json(header, rng)
                write_weights(path, weights, header)
            case ".json":
                found = other_json(json.loads(path.read_text()), rng)
                path.write_text(json.dumps(found))
            case ".csv":
                lines = path.read_text().splitlines()
                k = rng.randrange(len(lines))
                cells = lines[k].split(",")
                cells[rng.randrange(len(cells))] = str(rng.choice(VALUES[:12]))
                lines[k] = ",".join(cells)
                path.write_text("\n".join(lines) + "\n")

    damage.__name__ = f"other_contents-{seed}"
    return damage


def other_arrays(arrays: dict[str, np.ndarray], rng: random.Random) -> dict[str, np.ndarray]:
    """One of the arrays is missing, new, of another type or shape, or holds something else."""
    name = rng.choice(sorted(arrays))
    x = arrays[name]
    changes: list[Callable[[], Any]] = [
        lambda: None,
        lambda: x.astype(complex) if x.dtype.kind in "fiub" else x.astype("U3"),
        lambda: x.astype("f8") if x.dtype.kind in "iub" else np.zeros(x.shape, "i8"),
        lambda: x[None],
        lambda: x.ravel(),
        lambda: x[..., :1] if x.ndim else np.array([x, x]),
        lambda: x[:1] if x.ndim else x,
        lambda: x[:0] if x.ndim else x,
        lambda: np.concatenate([x, x]) if x.ndim else x,
        lambda: np.full_like(x, rng.choice((0, 1, 255))) if x.dtype.kind in "iu" else x,
        lambda: (
            np.full_like(x, rng.choice((math.nan, math.inf, 1e30, -1)))
            if x.dtype.kind == "f"
            else np.array(HTML)
        ),
        lambda: np.array([ANSI, HTML]),
    ]
    changed = rng.choice(changes)()
    others = {key: value for key, value in arrays.items() if key != name}
    return others if changed is None else {**others, name: changed}


def other_json(found: Any, rng: random.Random) -> Any:  # noqa: ANN401 - whatever JSON holds
    """One of the entries is missing or something else."""
    places = list(_places(found))
    *above, last = rng.choice(places)
    inner = found
    for step in above:
        inner = inner[step]
    if rng.random() < 0.3:
        del inner[last]
    else:
        inner[last] = rng.choice(VALUES)
    return found


def _places(found: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Where something stands."""
    steps = found.items() if isinstance(found, dict) else enumerate(found)
    for step, inner in steps:
        yield (*above, step)
        if isinstance(inner, dict | list):
            yield from _places(inner, (*above, step))


seeds = st.integers(0, 10**6)
words = st.sampled_from(WORDS)
bytes_damages = st.builds(lambda kind, seed: kind(seed), st.sampled_from(BYTES), seeds)
