"""Metrics as the studies write them, with what a reader calls their entries."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from imports import ROOT

CLAIMS = ("determinant", "reshape", "convolution", "coupling")
INTERVALS = ("normal", "log_normal", "clopper_pearson")
BITS = ("score", "score_leave_one_out", "measure_valued")


def write_labelled(folder: Path) -> Path:
    """Write the committed metrics into a folder; those without labels are given some."""
    metrics = {
        path.stem: json.loads(path.read_text()) for path in (ROOT / "metrics").glob("*.json")
    }
    for study, groups in _groups(metrics).items():
        labels = metrics[study].setdefault("labels", {})
        for group, names in groups.items():
            found = labels.setdefault(group, {})
            for name in names:
                found.setdefault(name, f"the {name.replace('_', ' ')}")
    folder.mkdir()
    for study, found in metrics.items():
        (folder / f"{study}.json").write_text(json.dumps(found))
    return folder


def _groups(metrics: dict[str, Any]) -> dict[str, dict[str, Iterable[str]]]:
    inpainting, gradients = metrics["inpainting"], metrics["gradients"]
    return {
        "convolution": {"claims": CLAIMS},
        "diagnostics": {"images": ("test", *metrics["diagnostics"]["other_images"])},
        "importance": {"methods": metrics["importance"]["methods"], "intervals": INTERVALS},
        "gradients": {
            "estimators": gradients["estimators"],
            "elbo": gradients["elbo"]["variances"],
            "bernoulli": BITS,
        },
        "inpainting": {
            "masks": inpainting["masks"],
            "methods": inpainting["mean_over_masks"],
            "rules": inpainting["published"],
        },
    }
