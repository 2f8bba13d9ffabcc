"""When, where and from which commit a page is made.

It differs from day to day, so it stands on pages for a reader and in no output of the pipeline.
"""

import os
import platform
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psutil
from dvc.exceptions import DvcException
from dvc.scm import SCM
from scmrepo.exceptions import InvalidRemote, SCMError
from scmrepo.git import Git

from nicelab.pipeline.timing import describe, last_times
from nicelab.report.contents import Made
from nicelab.report.tables.table import Table

DIGITS = 10  # of a commit
REMOTE = re.compile(
    r"(https://([^@/]*@)?|(ssh://)?git@)(?P<host>[\w.-]+)[:/](?P<path>[\w./~-]+?)(\.git)?/?"
)


def made_here() -> Made:
    """What there is to say of a page that is made now, of the project in the current folder."""
    commit, address = _commit()
    times = [(name, describe(note)) for name, note in last_times(Path()).items()]
    cores = psutil.cpu_count(logical=False) or os.cpu_count()
    return Made(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=commit,
        address=address,
        machine=f"{_processor()}, {cores} cores",
        times=Table("How long the stages took when they last ran here", ("stage", "time"), times),
    )


def _commit() -> tuple[str, str | None]:
    """The commit, and the web address of its repository if it has one; none outside of git."""
    try:
        with closing(SCM(".")) as git:
            changed = " and changes that are in no commit" if git.is_dirty() else ""
            return f"{git.get_rev()[:DIGITS]}{changed}", _address(git)
    except (DvcException, SCMError):
        return "none", None


def _address(git: Git) -> str | None:
    """Where a browser finds the repository from which this one was cloned; no passwords."""
    try:
        found = REMOTE.fullmatch(git.get_remote_url("origin"))
    except InvalidRemote:
        return None
    return f"https://{found['host']}/{found['path']}" if found else None


def _processor() -> str:
    """Its name; the kind of machine where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
