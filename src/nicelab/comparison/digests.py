"""Digests as DVC makes them."""

import hashlib
import json
from typing import Any

from dvc.output import Output


def locked(item: Output) -> Any:  # noqa: ANN401 - a digest, or parameters
    """What `dvc.lock` says of a dependency or an output, if anything."""
    return item.hash_info.value if item.hash_info else None


def of_outputs(path: str, files: set[str], made: dict[str, Any]) -> Any:  # noqa: ANN401
    """Digest of what stages make: of a file, or of the folder of these files."""
    if path in made:
        return made[path]
    return of_folder({name.removeprefix(f"{path}/"): made[name] for name in files})


def of_folder(digests: dict[str, str]) -> str:
    """MD5 of a folder as DVC makes it, from those of its files by name."""
    entries = [{"md5": digests[name], "relpath": name} for name in sorted(digests)]
    return md5(json.dumps(entries, sort_keys=True).encode()) + ".dir"


def md5(content: bytes) -> str:
    """Of a file's content."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
