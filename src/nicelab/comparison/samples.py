"""Samples of two revisions that belong together: of the same test images, or of the same seeds."""

import numpy as np

from nicelab.comparison.revisions import Revision

IMAGES = "data/images.npz"
ENDS = {"mu": 0, "sigma": 1}  # columns of the ends of SGD runs
ASCENT = "ascent_from_"
Two = tuple[np.ndarray, np.ndarray]


class Samples:
    """What the cache has of both; `missing` are files that would have told more.

    Images are the same if the pipeline's are, seeds if their parameters are.
    """

    def __init__(self, before: Revision, after: Revision) -> None:
        self.revisions = before, after
        self.missing: set[str] = set()
        self._files: dict[str, tuple[dict[str, np.ndarray] | None, ...]] = {}
        self._made = {
            out
            for revision in self.revisions
            for stage in revision.stages.values()
            for out in stage.outputs
        }
        prepared = {_prepared(revision) for revision in self.revisions}
        self.same_images = len(prepared) == 1 and None not in prepared
        self.same_seeds = all(
            before.params.get(name) == after.params.get(name)
            for name in ("gradients.seed", "gradients.seeds")
        )

    def __call__(self, metric: str) -> Two | None:
        """Both samples that a metric is the mean of, shape (n,) each."""
        match metric.split("."):
            case ["likelihood", family, name] if name.endswith("_log_likelihood"):
                return self._likelihood(family, name.removesuffix("_log_likelihood"))
            case ["likelihood", family, part, "log_likelihood"]:
                return self._likelihood(family, part)
            case ["gradients", "sgd", run, parameter] if parameter in ENDS and self.same_seeds:
                ends = self._both("results/gradients.npz", f"{run}_ends")
                return ends and tuple(x[:, ENDS[parameter]] for x in ends)
            case ["inpainting", "ascent", "squared_error"]:
                family, *_ = self.revisions[1].params.get("families", [""])
                return self._ascent(family, "gaussian")
            case ["inpainting", family, "mean_over_masks", method, "squared_error"]:
                if method.startswith(ASCENT):
                    return self._ascent(family, method.removeprefix(ASCENT))
        return None

    def _likelihood(self, family: str, part: str) -> Two | None:
        return self._both(f"arrays/likelihood/{family}.npz", part) if self.same_images else None

    def _ascent(self, family: str, start: str) -> Two | None:
        if not self.same_images:
            return None
        errors = self._both(f"arrays/ascents/{family}.npz", f"{start}_error")
        return errors and tuple(x[-1].mean(0) for x in errors)

    def _both(self, path: str, key: str) -> Two | None:
        if path not in self._made:
            return None
        if path not in self._files:
            self._files[path] = tuple(revision.arrays(path) for revision in self.revisions)
        if any(arrays is None for arrays in self._files[path]):
            self.missing.add(path)
            return None
        one, two = (arrays.get(key) for arrays in self._files[path])
        return None if one is None or two is None or one.shape != two.shape else (one, two)


def _prepared(revision: Revision) -> str | None:
    """Digest of the prepared images."""
    part = revision.stages.get("prepare")
    return part.data.get(IMAGES) if part else None
