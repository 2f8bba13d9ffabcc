"""Fail when `dvc.lock` does not belong to the code and parameters as they stand.

Needs no data: a stage whose outputs are missing is fine, as long as nothing it was made from
has changed.
"""

import subprocess
import sys
from pathlib import Path


def stale_stages(root: Path) -> list[str]:
    """Stages that `dvc repro` would run for another reason than missing outputs."""
    command = ["dvc", "repro", "--dry", "--allow-missing"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    lines = done.stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


if __name__ == "__main__":
    stale = stale_stages(Path(__file__).parents[1])
    if stale:
        sys.exit(f"dvc.lock is not up to date; run `dvc repro`. Stale: {', '.join(stale)}")
