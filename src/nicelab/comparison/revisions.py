"""A revision of the project: its parameters, code, data and results, from git and DVC."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
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

from nicelab.comparison.digests import locked, md5, of_folder, of_outputs
from nicelab.comparison.part import Part
from nicelab.comparison.readings import Readings, only_headlines, readings
from nicelab.errors import InputError
from nicelab.pipeline.params import flatten

WORKSPACE = "workspace"
DATA = "data/"
MACHINE = ("torch", "device", "processes", "threads", "precision")  # of a training
REPLICATES = "replicates/likelihood"  # the same recipes with several seeds, by family


class Revision:
    """The project at a git revision, at a DVC experiment, or as it lies in the workspace.

    To be closed, or used as a context.

    Raises:
        InputError: this is no DVC project, or it has no such revision.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._digests: dict[str, str | None] = {}
        self._read: dict[str, dict[str, Any]] = {}
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
    def headlines(self) -> Readings:
        """The few metrics that revisions are compared by.

        Raises:
            InputError: there are none, or a file holds something else.
        """
        files = self._read_all("metrics")
        if not files:
            raise InputError(f"{self.name} has no headlines: run `dvc repro` there and commit")
        found = readings(files, f"metrics/{{}}.json at {self.name}")
        return only_headlines(found, f"metrics at {self.name}")

    @cached_property
    def results(self) -> Readings:
        """All that the stages found; it stood in `metrics/` before there were headlines.

        Raises:
            InputError: there is nothing, or a file holds something else.
        """
        for folder in ("results", "metrics"):
            if files := self._read_all(folder):
                return readings(files, f"{folder}/{{}}.json at {self.name}")
        raise InputError(f"{self.name} has no results: run `dvc repro` there and commit")

    @cached_property
    def replicates(self) -> dict[str, Any]:
        """What several trainings of the same recipe found, by family, if the revision has it."""
        return self._read_all(REPLICATES)

    @cached_property
    def machine(self) -> dict[str, str]:
        """What the flows were trained on and with, `family.what`."""
        trainings = self._read_all("results/training").items()
        return {
            f"{family}.{what}": str(found[what])
            for family, found in trainings
            for what in MACHINE
            if what in found
        }

    def _read_all(self, folder: str) -> dict[str, dict[str, Any]]:
        """The JSON files in a folder and in the folders in it, by path without the ending."""
        paths = sorted(
            path
            for pattern in ("*.json", "*/*.json")
            for path in self.files.glob(f"/{folder}/{pattern}")
        )
        return {
            path.partition(f"{folder}/")[2].removesuffix(".json"): self.read(path)
            for path in paths
        }

    def read(self, path: str) -> dict[str, Any]:
        """A JSON file, by its path from the top of the project.

        Raises:
            InputError: it is missing, is not JSON, or holds no names.
        """
        where = f"{path.removeprefix('/')} at {self.name}"
        try:
            content = json.loads(self.files.read_text(path))
        except FileNotFoundError:
            raise InputError(f"{where} does not exist: run `dvc repro`") from None
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where} is not JSON ({error}): run `dvc repro`") from None
        if not isinstance(content, dict):
            raise InputError(f"{where} holds no named metrics: run `dvc repro`")
        return content

    @cached_property
    def params(self) -> dict[str, Any]:
        """All parameters, `section.name`.

        Raises:
            InputError: the file is missing or is not YAML.
        """
        return self._parameters("params.yaml")

    def _parameters(self, path: str) -> dict[str, Any]:
        if path not in self._read:
            with _explained(f"{path} at {self.name} cannot be read"):
                text = self.files.read_text(f"/{path}")
                self._read[path] = flatten(YAML(typ="safe", pure=True).load(text))
        return self._read[path]

    @cached_property
    def stages(self) -> dict[str, Part]:
        """Every stage of the pipeline, by name."""
        with _explained(f"the pipeline at {self.name} cannot be read"):
            stages = [stage for stage in self.repo.index.stages if hasattr(stage, "name")]
        made = {out.def_path: locked(out) for stage in stages for out in stage.outs}
        return {stage.name: self._part(stage, made) for stage in stages}

    def _part(self, stage: Stage, made: dict[str, Any]) -> Part:
        code, data, params, inputs = {}, {}, {}, set()
        changed = {"the command"} if stage.cmd_changed else set()
        for dependency in stage.deps:
            path, last = dependency.def_path, locked(dependency)
            if isinstance(dependency, ParamsDependency):
                found, last = self._under(path, dependency.params), flatten(last or {})
                params |= found
            elif files := {out for out in made if f"{out}/".startswith(f"{path}/")}:
                inputs |= files
                found = of_outputs(path, files, made)
            else:
                is_code = path.startswith("src/") or path.endswith(".py")
                found = self._digest(path)
                (code if is_code else data)[path] = found
            if found != last:
                changed.add(path)
        for out in stage.outs:
            if out.def_path.startswith(DATA) and out.hash_info:
                data[out.def_path] = str(out.hash_info.value)
        outputs = frozenset(out.def_path for out in stage.outs)
        return Part(
            command=stage.cmd,
            code=code,
            data=data,
            params=params,
            inputs=frozenset(inputs),
            outputs=outputs,
            changed=frozenset(changed),
            size=sum((out.meta and out.meta.size) or 0 for out in stage.outs),
            file=stage.path_in_repo,
        )

    def _under(self, path: str, sections: list[str]) -> dict[str, Any]:
        """The parameters of these sections of a file."""
        return {
            name: value
            for name, value in self._parameters(path).items()
            if any(name == section or name.startswith(f"{section}.") for section in sections)
        }

    def _digest(self, path: str) -> str | None:
        """MD5 of a file, or of a folder as DVC makes it; None where there is no such thing."""
        if path not in self._digests:
            self._digests[path] = self._computed_digest(path)
        return self._digests[path]

    def _computed_digest(self, path: str) -> str | None:
        if not self.files.isdir(f"/{path}"):
            try:
                return md5(self.files.read_bytes(f"/{path}"))
            except FileNotFoundError:
                return None
        names = [name.removeprefix(f"/{path}/") for name in self.files.find(f"/{path}")]
        return of_folder({x: md5(self.files.read_bytes(f"/{path}/{x}")) for x in names})

    def arrays(self, path: str) -> dict[str, np.ndarray] | None:
        """Arrays of a file of the pipeline, if the cache or a remote has it."""
        try:
            with np.load(BytesIO(self.files.read_bytes(f"/{path}"))) as archive:
                return dict(archive)
        except (OSError, ValueError, KeyError, DvcException):
            return None

    @property
    def stale(self) -> list[str]:
        """Stages whose last run was of other code, parameters or data than there are."""
        return sorted(name for name, part in self.stages.items() if part.changed)


@contextmanager
def _explained(problem: str) -> Iterator[None]:
    """What git and DVC complain of, as one line."""
    try:
        yield
    except (DvcException, SCMError, YAMLError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{problem}: {reason}") from None
