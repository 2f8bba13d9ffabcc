"""In which order DVC runs the stages."""

from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import plan_repro


def order(root: Path) -> list[str]:
    """Names of the stages of all pipelines at `root` as DVC gives them; none if it is no project.

    `dvc repro` walks through them in this order, and skips those that did not change.
    """
    try:
        with Repo(str(root)) as repo:
            return [stage.addressing for stage in plan_repro(repo.index.graph)]
    except DvcException:
        return []
