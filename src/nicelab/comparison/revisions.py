"""A revision of the project: its parameters, code, data and metrics, from git and DVC."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any, Self

import numpy as np
from dvc.api import DVCFileSystem
from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException
from dvc.fs import GitFileSystem
from dvc.repo import Repo
from dvc.scm import SCM
from dvc.stage import Stage
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from scmrepo.exceptions import SCMError

from nicelab.errors import InputError
from nicelab.pipeline.params import flatten

WORKSPACE = "workspace"
DATA = "data/"


@dataclass(frozen=True)
class Part:
    """What a stage is made of: the hash or value of each thing that can change, by name."""

    command: str
    code: dict[str, str]
    data: dict[str, str]
    params: dict[str, Any]
    inputs: frozenset[str]
    outputs: frozenset[str]

    @property
    def recipe(self) -> tuple[Any, ...]:
        """All of it but what other stages make."""
        return self.command, self.code, self.data, self.params


class Revision:
    """The project at a git revision, at a DVC experiment, or as it lies in the workspace.

    To be closed, or used as a context.

    Raises:
        InputError: this is no DVC project, or it has no such revision.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        failed = f"revision {name} cannot be opened (history missing? `git fetch --unshallow`)"
        with _explained(failed), ExitStack() as stack:
            git = stack.enter_context(closing(SCM(".")))  # which a Repo that fails leaves open
            if name == WORKSPACE:
                self.repo = Repo(scm=git)
            else:
                self.repo = Repo("/", fs=GitFileSystem(scm=git, rev=name), scm=git)
            self.files = DVCFileSystem(repo=self.repo)
            stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.repo.close()

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Contents of the files of results, by file name without its ending.

        Raises:
            InputError: there are none, or one is not JSON.
        """
        paths = sorted(self.files.glob("/results/*.json"))
        if not paths:
            raise InputError(f"{self.name} has no results: run `dvc repro` there and commit")
        found = {}
        for path in paths:
            stem = path.rpartition("/")[2].removesuffix(".json")
            try:
                found[stem] = json.loads(self.files.read_text(path))
            except ValueError as error:
                raise InputError(
                    f"{path[1:]} at {self.name} is not JSON ({error}): run `dvc repro`"
                ) from None
            if not isinstance(found[stem], dict):
                raise InputError(
                    f"{path[1:]} at {self.name} holds no named results: run `dvc repro`"
                )
        return found

    @cached_property
    def params(self) -> dict[str, Any]:
        """All parameters, `section.name`.

        Raises:
            InputError: the file is missing or is not YAML.
        """
        with _explained(f"params.yaml at {self.name} cannot be read"):
            return flatten(YAML(typ="safe", pure=True).load(self.files.read_text("/params.yaml")))

    @cached_property
    def stages(self) -> dict[str, Part]:
        """Every stage of the pipeline, by name."""
        with _explained(f"the pipeline at {self.name} cannot be read"):
            stages = [stage for stage in self.repo.index.stages if hasattr(stage, "name")]
        made = {out.def_path for stage in stages for out in stage.outs}
        return {stage.name: self._part(stage, made) for stage in stages}

    def _part(self, stage: Stage, made: set[str]) -> Part:
        code, data, sections = {}, {}, []
        for dependency in stage.deps:
            path = dependency.def_path
            if isinstance(dependency, ParamsDependency):
                sections = dependency.params
            elif path in made:
                continue
            elif path.endswith((".py", ".jinja", ".css")):
                code[path] = self._digest(path)
            else:
                data[path] = self._digest(path)
        for out in stage.outs:
            if out.def_path.startswith(DATA) and out.hash_info:
                data[out.def_path] = str(out.hash_info.value)
        params = {
            name: value for name, value in self.params.items() if name.split(".")[0] in sections
        }
        inputs = frozenset(d.def_path for d in stage.deps) & made
        outputs = frozenset(out.def_path for out in stage.outs)
        return Part(stage.cmd, code, data, params, inputs, outputs)

    def _digest(self, path: str) -> str:
        """MD5 of a file, or of all files below a folder."""
        digest = hashlib.md5(usedforsecurity=False)
        for name in sorted(self.files.find(f"/{path}")):
            digest.update(self.files.read_bytes(name))
        return digest.hexdigest()

    def arrays(self, path: str) -> dict[str, np.ndarray] | None:
        """Arrays of a file of the pipeline, if the cache or a remote has it."""
        try:
            with np.load(BytesIO(self.files.read_bytes(f"/{path}"))) as archive:
                return dict(archive)
        except (OSError, ValueError, KeyError, DvcException):
            return None

    def stale(self) -> list[str]:
        """Stages of the workspace that `dvc repro` would run again."""
        if self.name != WORKSPACE:
            return []
        with _explained("the state of the workspace cannot be read"):
            return sorted(name.rpartition(":")[2] for name in self.repo.status())


@contextmanager
def _explained(problem: str) -> Iterator[None]:
    """What git and DVC complain of, as one line."""
    try:
        yield
    except (DvcException, SCMError, YAMLError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{problem}: {reason}") from None
