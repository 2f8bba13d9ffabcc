"""Fail when a `dvc.lock` does not belong to the code and parameters as they stand.

Needs no data: a stage whose outputs are missing is fine, as long as nothing it was made from
has changed.
"""

import re
import subprocess
import sys
from pathlib import Path

PIPELINES = {
    "dvc.yaml": "dvc repro",
    "replicates/dvc.yaml": "make replicates",
    "ablation/dvc.yaml": "make ablation",
}


def stale_stages(root: Path, pipeline: str = "dvc.yaml") -> list[str]:
    """Stages that `dvc repro` would run for another reason than missing outputs.

    Without data DVC fails at the first stale stage that needs some, and those after it go unnamed.

    Raises:
        RuntimeError: DVC failed for another reason.
    """
    command = ["dvc", "repro", "--dry", "--allow-missing", pipeline]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    stale = re.findall(r"(?:Running stage|failed to reproduce) '(.+?)'", done.stdout + done.stderr)
    if done.returncode and not stale:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return stale


if __name__ == "__main__":
    for pipeline, command in PIPELINES.items():
        if stale := stale_stages(Path(__file__).parents[1], pipeline):
            names = ", ".join(stale)
            sys.exit(f"{pipeline} is ahead of its lock; run `{command}`. Stale: {names}")
