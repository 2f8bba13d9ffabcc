"""What changed between two revisions, and which stages it concerns."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nicelab.comparison.revisions import Part, Revision
from nicelab.comparison.verdicts import Pairs, Row, flatten, judge
from nicelab.images.levels import bits_per_dim

IMAGES = "data/images.npz"
ASCENT = "ascent_from_"
ENDS = {"mu": 0, "sigma": 1}  # columns of the ends of SGD runs


@dataclass(frozen=True)
class Difference:
    """Two revisions side by side.

    Args:
        before: name of the first.
        after: name of the second.
        params: values before and after, None where there was none, by parameter.
        code: paths of files that stages are made of.
        data: the same for what is not code.
        stages: those that any of it changes, themselves or through what they read.
        stale: stages whose metrics are older than the code in the workspace.
        rows: every metric.
    """

    before: str
    after: str
    params: dict[str, tuple[Any, Any]]
    code: list[str]
    data: list[str]
    stages: list[str]
    stale: list[str]
    rows: list[Row]


def compare_revisions(before: Revision, after: Revision) -> Difference:
    """Everything that differs."""
    parts = {
        name: (before.stages.get(name), after.stages.get(name))
        for name in {**before.stages, **after.stages}
    }
    code, data = (
        sorted(_unlike(_contents(before, kind), _contents(after, kind)))
        for kind in ("code", "data")
    )
    params = {
        name: (before.params.get(name), after.params.get(name))
        for name in _unlike(before.params, after.params)
    }
    return Difference(
        before.name,
        after.name,
        params,
        code,
        data,
        _affected(parts),
        after.stale(),
        judge(flatten(before.metrics), flatten(after.metrics), pairs(before, after)),
    )


def _unlike(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    missing = object()
    return [
        name
        for name in {**before, **after}
        if before.get(name, missing) != after.get(name, missing)
    ]


def _contents(revision: Revision, kind: str) -> dict[str, str]:
    """Digests of all files of a kind that some stage is made of."""
    return {
        name: x for part in revision.stages.values() for name, x in getattr(part, kind).items()
    }


def _affected(parts: dict[str, tuple[Part | None, Part | None]]) -> list[str]:
    """Stages that differ, and all that read what they write."""
    found = {
        name for name, (one, two) in parts.items() if not (one and two) or one.recipe != two.recipe
    }
    latest = {name: two or one for name, (one, two) in parts.items()}
    grown = True
    while grown:
        written = {out for name in found for out in latest[name].outputs}
        more = {name for name, part in latest.items() if part.inputs & written} - found
        found |= more
        grown = bool(more)
    return [name for name in parts if name in found]


def pairs(before: Revision, after: Revision) -> Pairs:
    """Samples of the same test images, or of runs with the same seeds, in both revisions.

    Images are the same if the pipeline's are; seeds if their parameters are.
    """
    prepared = {_prepared(revision) for revision in (before, after)}
    images = len(prepared) == 1 and None not in prepared
    seeds = all(
        before.params.get(name) == after.params.get(name)
        for name in ("gradients.seed", "gradients.seeds")
    )
    files: dict[str, tuple[dict[str, np.ndarray] | None, ...]] = {}

    def both(path: str, key: str) -> tuple[np.ndarray, np.ndarray] | None:
        if path not in files:
            files[path] = tuple(revision.arrays(path) for revision in (before, after))
        one, two = (arrays.get(key) if arrays else None for arrays in files[path])
        return None if one is None or two is None or one.shape != two.shape else (one, two)

    def find(name: str) -> tuple[np.ndarray, np.ndarray] | None:
        match name.split("."):
            case ["likelihood", part, "log_likelihood"] if images:
                return both("results/likelihood.npz", part)
            case ["likelihood", part, "bits_per_dim"] if images:
                samples = both("results/likelihood.npz", part)
                return samples and tuple(bits_per_dim(x) for x in samples)
            case ["gradients", "sgd", run, parameter] if seeds and parameter in ENDS:
                samples = both("results/gradients.npz", f"{run}_ends")
                return samples and tuple(x[:, ENDS[parameter]] for x in samples)
            case ["inpainting", "mean_over_masks", method, "squared_error"] if images:
                if method.startswith(ASCENT):
                    key = f"{method.removeprefix(ASCENT)}_error"
                    samples = both("results/inpainting/ascents.npz", key)
                    return samples and tuple(x[-1].mean(0) for x in samples)
        return None

    return find


def _prepared(revision: Revision) -> str | None:
    """Digest of the prepared images."""
    part = revision.stages.get("prepare")
    return part.data.get(IMAGES) if part else None
