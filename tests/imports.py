"""What a stage script imports and which parameters it reads, from its source alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "nicelab"


def first_party(script: Path) -> set[str]:
    """Paths, relative to the project, of all modules of ours that a script needs."""
    found: set[Path] = set()
    queue = [script]
    while queue:
        for module in _imported(queue.pop()):
            if module not in found:
                found.add(module)
                queue.append(module)
    return {str(path.relative_to(ROOT)) for path in found}


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            candidate = PACKAGE.parent.joinpath(*parts).with_suffix(".py")
            if parts[0] == "nicelab" and candidate.is_file():
                yield candidate


def sections(script: Path) -> set[str]:
    """Sections of the parameter file that a script loads."""
    nodes = ast.walk(ast.parse(script.read_text()))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return {
        call.args[1].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "load" and len(call.args) == 3
    }
