"""Where the project is, and which parameters a stage script reads, from its source alone."""

import ast
from pathlib import Path

from nicelab.flows.names import chosen

ROOT = Path(__file__).parents[1]
FAMILIES = chosen(ROOT / "params.yaml")
FIRST = FAMILIES[0]
READERS = {"architecture": "model", "chosen": "families"}  # functions that load a section


def sections(script: Path) -> set[str]:
    """Sections of the parameter file that a script loads."""
    nodes = ast.walk(ast.parse(script.read_text()))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    loaded = {
        call.args[1].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "load" and len(call.args) == 3
    }
    named = {getattr(call.func, "attr", getattr(call.func, "id", None)) for call in calls}
    return loaded | {section for reader, section in READERS.items() if reader in named}
