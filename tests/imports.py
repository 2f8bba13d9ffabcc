"""Where the project is, and which parameters a stage script reads, from its source alone."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]


def sections(script: Path) -> set[str]:
    """Sections of the parameter file that a script loads."""
    nodes = ast.walk(ast.parse(script.read_text()))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return {
        call.args[1].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "load" and len(call.args) == 3
    }
