"""Break the mathematics at random places, one at a time, and see whether a test notices.

    python tests/mutants.py                  # 300 mutants, about an hour on two cores
    python tests/mutants.py --count 20 src/nicelab/flows

A mutant is one change of one operator, number or keyword, drawn uniformly over the places where
there is something to change. It is killed by a test that fails or does not end. The tests are the
quick ones that import what was changed, or what imports it; with `--slow` what survives them meets
the slow ones too. What was found is kept in `tmp/mutants.jsonl`, from which a run that was
interrupted goes on; with `--again` what has survived is tried again, by tests that are new.
"""

import ast
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path
from queue import SimpleQueue

import click
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
FOUND = ROOT / "tmp" / "mutants.jsonl"
MATHEMATICS = tuple(
    f"src/nicelab/{name}"
    for name in (
        "flows",
        "likelihood",
        "inpainting",
        "importance",
        "gradients",
        "dimensions",
        "discrete",
        "tandem",
        "comparison",
        "statistics.py",
    )
)
LONGEST = 120  # seconds that one test may take
SKIPPED = ("core/NoOp", "core/RemoveDecorator", "core/ExceptionReplacer")
Place = tuple[int, int]


@dataclass(frozen=True, order=True)
class Mutant:
    """One change: the file, and which occurrence of what operator."""

    path: str
    line: int
    operator: str
    occurrence: int


def mutants_of(path: Path) -> dict[tuple[Place, Place], list[Mutant]]:
    """All changes of a file, by the place that they change; none of an annotation."""
    source = path.read_text(encoding="utf-8")
    tree, annotations = get_ast(source), list(_annotations(source))
    found: dict[tuple[Place, Place], list[Mutant]] = defaultdict(list)
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments() or name in SKIPPED:
            continue
        places = (x for node in ast_nodes(tree) for x in operator().mutation_positions(node))
        for occurrence, (begin, end) in enumerate(places):
            if not any(first <= begin and end <= last for first, last in annotations):
                mutant = Mutant(str(path.relative_to(ROOT)), begin[0], name, occurrence)
                found[begin, end].append(mutant)
    return found


def _annotations(source: str) -> Iterator[tuple[Place, Place]]:
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            if inner := getattr(node, name, None):
                begin, end = inner.lineno, inner.end_lineno
                yield (begin, inner.col_offset), (end, inner.end_col_offset)


def drawn(paths: list[Path], count: int, seed: int) -> list[Mutant]:
    """So many mutants of these files or folders, each of another place."""
    files = [
        x for path in paths for x in (sorted(path.rglob("*.py")) if path.is_dir() else [path])
    ]
    places = [place for file in files for place in mutants_of(file).values()]
    rng = random.Random(seed)
    return sorted(rng.choice(place) for place in rng.sample(places, min(count, len(places))))


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, `nicelab.flows.flow`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{x.name}" for x in node.names)}
        elif isinstance(node, ast.Import):
            names |= {x.name for x in node.names}
    return {name for name in names if name.startswith("nicelab")}


def module(path: str) -> str:
    """The name of the module in a file."""
    parts = Path(path).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tests_of(path: str) -> list[str]:
    """Files of tests that import what was changed, then those that import what imports it."""
    changed = module(path)
    near = {changed}
    for file in (ROOT / "src").rglob("*.py"):
        if changed in imports(file):
            near.add(module(str(file.relative_to(ROOT))))
    found = {x: imports(x) for x in sorted((ROOT / "tests").glob("test_*.py"))}
    direct = [x for x, names in found.items() if changed in names]
    others = [x for x, names in found.items() if names & near and x not in direct]
    return [str(x.relative_to(ROOT)) for x in (*direct, *others)]


def killed(mutant: Mutant, copy: Path, slow: bool) -> bool:
    """Whether a test fails, or does not end, in a copy of the project with the mutant in it."""
    tests = tests_of(mutant.path)
    whole = (ROOT / mutant.path).read_text(encoding="utf-8")
    file = copy / mutant.path
    file.write_text(changed(mutant), encoding="utf-8")
    try:
        return not (passes(tests, copy) and (not slow or passes(tests, copy, "slow")))
    finally:
        file.write_text(whole, encoding="utf-8")


def passes(tests: list[str], copy: Path, marked: str = "not pipeline and not slow") -> bool:
    """Whether the tests of these files with these marks, if any, pass and end in a copy."""
    for cache in copy.rglob("__pycache__"):  # numba does not see that what it calls has changed
        shutil.rmtree(cache)
    words = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    words += ["-o", f"faulthandler_timeout={LONGEST}", "-o", "faulthandler_exit_on_timeout=true"]
    alone = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONPATH": str(copy / "src")}
    done = subprocess.run(
        [sys.executable, *words, "-m", marked, *tests],
        cwd=copy,
        env=os.environ | alone,
        capture_output=True,
    )
    return done.returncode in (0, 5)  # 5: no test was run


def changed(mutant: Mutant) -> str:
    """The source of the mutant's file."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    return mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)


def difference(mutant: Mutant) -> str:
    """The lines that it changes, before and after."""
    before = (ROOT / mutant.path).read_text(encoding="utf-8").splitlines()
    lines = unified_diff(before, changed(mutant).splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if line[:3] not in ("---", "+++") and line[0] in "-+")


def copy_to(folder: Path) -> Path:
    """The project as it stands, without what git ignores."""
    listed = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in listed.splitlines():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    return folder


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--count", default=300, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", default=os.cpu_count(), show_default=True)
@click.option("--slow", is_flag=True, help="Run the slow tests on what survives the quick ones.")
@click.option("--again", is_flag=True, help="Try again what has survived before.")
def main(
    paths: tuple[Path, ...], count: int, seed: int, jobs: int, slow: bool, again: bool
) -> None:
    """Try mutants of PATHS, by default of all the mathematics, and print a table."""
    chosen = drawn([x.resolve() for x in paths] or [ROOT / x for x in MATHEMATICS], count, seed)
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.touch()
    known = {}
    for line in FOUND.read_text().splitlines():
        note = json.loads(line)
        if note["killed"] or not again:
            known[note.pop("change"), note["path"]] = note["killed"]
    free: SimpleQueue[Path] = SimpleQueue()
    for k in range(jobs):
        shutil.rmtree(ROOT / "tmp" / f"mutant-{k}", ignore_errors=True)
        free.put(copy_to(ROOT / "tmp" / f"mutant-{k}"))

    tests = sorted({test for mutant in chosen for test in tests_of(mutant.path)})
    first = ROOT / "tmp" / "mutant-0"
    if not passes(tests, first) or (slow and not passes(tests, first, "slow")):
        raise click.ClickException("a test fails without any change: see to it first (make test)")

    def trial(mutant: Mutant) -> bool:
        change = difference(mutant)
        if (change, mutant.path) not in known:
            copy = free.get()
            try:
                known[change, mutant.path] = killed(mutant, copy, slow)
            finally:
                free.put(copy)
            note = {**asdict(mutant), "killed": known[change, mutant.path], "change": change}
            with FOUND.open("a") as file:
                file.write(json.dumps(note) + "\n")
        return known[change, mutant.path]

    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(tqdm(pool.map(trial, chosen), total=len(chosen)))
    report(chosen, outcomes)


def report(mutants: list[Mutant], outcomes: list[bool]) -> None:
    """A table by package, and every survivor."""
    every, dead = Counter(), Counter()
    for mutant, is_dead in zip(mutants, outcomes, strict=True):
        package = Path(mutant.path).relative_to("src/nicelab").parts[0]
        every[package] += 1
        dead[package] += is_dead
    click.echo("| package | mutants | killed | share |\n| --- | --- | --- | --- |")
    for name, count in [*every.items(), ("all", every.total())]:
        gone = dead.total() if name == "all" else dead[name]
        click.echo(f"| {name} | {count} | {gone} | {gone / count:.0%} |")
    for mutant, is_dead in zip(mutants, outcomes, strict=True):
        if not is_dead:
            click.echo(f"\n{mutant.path}:{mutant.line}\n{difference(mutant)}")


if __name__ == "__main__":
    main()
