"""What a stage is made of, so that two revisions of it can be compared."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """What a stage is made of: the hash or value of each thing that can change, by name.

    `changed` names what is not as `dvc.lock` says it was in the stage's last run; it says of files
    what they are to be, so none has to be in the cache. `size` is that of its outputs, in bytes,
    and `file` the dvc.yaml that declares it.
    """

    command: str
    code: dict[str, str]
    data: dict[str, str]
    params: dict[str, Any]
    inputs: frozenset[str]
    outputs: frozenset[str]
    changed: frozenset[str]
    size: int
    file: str

    @property
    def recipe(self) -> tuple[Any, ...]:
        """All of it but what other stages make."""
        return self.command, self.code, self.data, self.params
