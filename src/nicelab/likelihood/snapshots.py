"""The state of an unfinished training, so that one that was interrupted goes on.

A snapshot is no output of the pipeline. It lies beside the model that it will become, is
replaced whole after every epoch, and is removed when the training is finished.
"""

import hashlib
import pickle
import sys
from pathlib import Path
from typing import Any

import click
import torch

from nicelab.pipeline.files import writing


class Snapshots:
    """The snapshots of one training.

    Args:
        model: where the trained model will be written.
        determinants: everything, beside the code and the version of torch, that decides how the
            training goes. A snapshot of another training has another name and is not used.
    """

    def __init__(self, model: Path, *determinants: object) -> None:
        self._pattern = f".{model.name}.*.snapshot"
        identity = hashlib.sha256(repr((torch.__version__, determinants)).encode())
        for source in _sources():
            identity.update(source.read_bytes())
        self._path = model.with_name(self._pattern.replace("*", identity.hexdigest()[:16]))

    def load(self) -> dict[str, Any] | None:
        """The last state that was saved, None if there is none that can be read."""
        try:
            # weights_only: tensors and plain containers, nothing that could run.
            return torch.load(self._path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            click.echo(f"{self._path} is damaged: training starts anew", err=True)
            return None

    def save(self, state: dict[str, Any]) -> None:
        """Put this state in the place of the last one."""
        with writing(self._path, at_once=True) as temporary:
            torch.save(state, temporary)

    def clear(self) -> None:
        """Remove this training's snapshot, and those of others that were never finished."""
        for pattern in (self._pattern, f".{self._pattern}.*.part"):
            for path in self._path.parent.glob(pattern):
                path.unlink(missing_ok=True)


def _sources() -> list[Path]:
    """The files of ours that this process runs, in the order of their names."""
    modules = {name: module for name, module in sys.modules.items() if name.startswith("nicelab")}
    modules["__main__"] = sys.modules["__main__"]
    files = {name: getattr(module, "__file__", None) for name, module in modules.items()}
    return [Path(files[name]) for name in sorted(files) if files[name]]
