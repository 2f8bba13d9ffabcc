"""Write the code that each stage depends on into dvc.yaml: `make deps`.

A stage depends on its script and on every module of ours that the script imports, directly or
through another. Some are imported by a name that a parameter or the pipeline decides: the module
of a figure, the records that it shows, and the family of the flow. dvc.yaml has a variable there,
and what any of them imports in turn is listed for all.
"""

import ast
from collections.abc import Iterator, Mapping, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from nicelab.pipeline.files import writing
from nicelab.pipeline.options import PATH

FIGURES, FAMILIES = "src/nicelab/figures", "src/nicelab/flows/families"
RECORDS = "src/nicelab/{}/records.py"  # of which figures show some
PIPELINES = ("dvc.yaml", "replicates/dvc.yaml", "ablation/dvc.yaml")
REGISTRY = "src/nicelab/flows/registry.py"  # imports the families by name


def first_party(root: Path, *scripts: Path) -> set[str]:
    """Paths, relative to the project's root, of all modules of ours that scripts need."""
    found: set[Path] = set()
    queue = list(scripts)
    while queue:
        new = set(_imported(root, queue.pop())) - found
        found |= new
        queue += new
    return {str(path.relative_to(root)) for path in found}


def _imported(root: Path, path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            candidate = (root / "src").joinpath(*parts).with_suffix(".py")
            if parts[0] == "nicelab" and candidate.is_file():
                yield candidate


def code(
    root: Path, name: str, figures: Mapping[str, Mapping[str, str]], family: str
) -> list[str]:
    """What a stage depends on of our code, as dvc.yaml writes it.

    Args:
        root: the project.
        name: of the stage.
        figures: what the stage is repeated for, if it is the template of figures.
        family: the variable that holds the family, if the stage is repeated for families.
    """
    script = f"stages/{name}.py"
    named = {f"{FIGURES}/{study}.py": f"{FIGURES}/${{key}}.py" for study in figures}
    named |= {
        RECORDS.format(item["package"]): RECORDS.format("${item.package}")
        for item in figures.values()
    }
    if REGISTRY in first_party(root, root / script):
        named |= {
            str(path.relative_to(root)): f"{FAMILIES}/{family}"
            for path in (root / FAMILIES).glob("*/*.py")
        }
    modules = first_party(root, root / script, *(root / path for path in named))
    return [script, *dict.fromkeys(named.values()), *sorted(modules - named.keys())]


def rewritten(root: Path, file: str = "dvc.yaml") -> str:
    """The text of a pipeline's dvc.yaml with the code of every stage as it is imported now.

    Args:
        root: the project.
        file: the pipeline's, relative to it.
    """
    yaml = YAML()
    yaml.width = 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    pipeline = yaml.load((root / file).read_text(encoding="utf-8"))
    for name, stage in pipeline["stages"].items():
        figures = stage["foreach"] if name == "figures" else {}
        family = "${item.family}" if "matrix" in stage else "${item}"
        _rewrite(stage.get("do", stage), code(root, name, figures, family))
    text = StringIO()
    yaml.dump(pipeline, text)
    return text.getvalue()


def _rewrite(stage: MutableMapping[str, Any], modules: list[str]) -> None:
    stage["deps"][:] = [dep for dep in stage["deps"] if not _is_code(dep)] + modules


def _is_code(dep: str) -> bool:
    return dep.endswith(".py") or dep.startswith(FAMILIES)


@click.command()
@click.option("--root", type=PATH, default=".", help="The project.")
def main(root: Path) -> None:
    """Rewrite the dependencies in dvc.yaml, and in those of the other pipelines."""
    for file in PIPELINES:
        text = rewritten(root, file)
        with writing(root / file) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
