"""What changed between two revisions, which stages it concerns, and what became of the metrics."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nicelab.comparison import verdicts
from nicelab.comparison.part import Part
from nicelab.comparison.revisions import Revision
from nicelab.comparison.samples import Samples
from nicelab.comparison.seeds import SpreadOverTrainings
from nicelab.comparison.verdicts import Row

SEED = ".seed"  # how parameters end that make another run of the same recipe


@dataclass(frozen=True)
class Difference:
    """Two revisions side by side.

    Args:
        before: name of the first.
        after: name of the second.
        params: values before and after, None where there was none, by parameter.
        code: paths of files that stages are made of.
        data: the same for what is not code.
        machine: what flows were trained on and with, as the parameters.
        stages: those that any of it changes, themselves or through what they read.
        stale: by revision, stages whose last run was of other code, parameters or data.
        not_cached: files whose samples would have made pairs, had the cache of both.
        headlines: the rows are the headlines, else all results.
        rows: every metric.
    """

    before: str
    after: str
    params: dict[str, tuple[Any, Any]]
    code: list[str]
    data: list[str]
    machine: dict[str, tuple[Any, Any]]
    stages: list[str]
    stale: dict[str, list[str]]
    not_cached: list[str]
    headlines: bool
    rows: list[Row]

    @property
    def is_rerun(self) -> bool:
        """Whether numbers differ although code, data and parameters are the same."""
        alike = not (self.params or self.code or self.data)
        return alike and any(row.before != row.after for row in self.rows)


def compare_revisions(before: Revision, after: Revision, everything: bool = False) -> Difference:
    """All that differs, and verdicts on the headlines, or on everything in the results."""
    revisions = before, after
    code, data = (
        sorted(_unlike(*(_contents(revision, kind) for revision in revisions)))
        for kind in ("code", "data")
    )
    params = _changes(before.params, after.params)
    samples = Samples(before, after)
    found = verdicts.judge(
        *((x.results if everything else x.headlines) for x in revisions),
        samples,
        SpreadOverTrainings(before, after),
    )
    correct = verdicts.by_false_discoveries if everything else verdicts.by_holm
    affected = _affected(before, after)
    alike = not code and not data and bool(params) and all(x.endswith(SEED) for x in params)
    return Difference(
        before.name,
        after.name,
        params,
        code,
        data,
        _changes(before.machine, after.machine),
        [name for name in {**before.stages, **after.stages} if name in affected],
        {revision.name: revision.stale for revision in revisions if revision.stale},
        sorted(samples.missing),
        not everything,
        [_aged(row, revisions, affected, everything, alike) for row in correct(found)],
    )


def _aged(
    row: Row,
    revisions: tuple[Revision, Revision],
    affected: set[str],
    everything: bool,
    alike: bool,
) -> Row:
    """A row, unless its number is older than what it is to be a result of, or of another seed."""
    files = {
        path
        for revision in revisions
        for path in (*_results(revision, row.name), f"metrics/{_study(row.name)}.json")
    }
    makers = {name for revision in revisions for name in _made_by(revision, files)}
    touched = makers & affected
    if alike and touched:
        row = verdicts.another_seed(row)
    old = touched and any(is_stale(revision, row.name, everything) for revision in revisions)
    return verdicts.stale(row) if old else row


def is_stale(revision: Revision, metric: str, everything: bool) -> bool:
    """Whether a result, or a headline, is not of the code, parameters and data there.

    Headlines do not age with the results of other studies, though one stage picks them all.
    """
    results = _results(revision, metric)
    old = downstream(revision.stages, revision.stale)
    if old & _made_by(revision, results):
        return True
    pickers = set() if everything else _made_by(revision, {f"metrics/{_study(metric)}.json"})
    changed = {x for name in pickers for x in revision.stages[name].changed}
    return any(
        not x.startswith("results/") or any(f"{path}/".startswith(f"{x}/") for path in results)
        for x in changed
    )


def _study(metric: str) -> str:
    return metric.partition(".")[0]


def _results(revision: Revision, metric: str) -> set[str]:
    """The files of results that a metric comes from: its study's, of its family if it has one."""
    study, family = metric.split(".")[:2]
    made = {out for part in revision.stages.values() for out in part.outputs}
    own = made & {f"results/{study}.json", f"results/{study}/{family}.json"}
    return own or {out for out in made if out.startswith(f"results/{study}/")}


def _made_by(revision: Revision, files: set[str]) -> set[str]:
    """The stages that make one of these files."""
    return {name for name, part in revision.stages.items() if part.outputs & files}


def _unlike(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    missing = object()
    return [
        name
        for name in {**before, **after}
        if before.get(name, missing) != after.get(name, missing)
    ]


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs, with both values; None where there was none."""
    return {name: (before.get(name), after.get(name)) for name in _unlike(before, after)}


def _contents(revision: Revision, kind: str) -> dict[str, str]:
    """Digests of all files of a kind that some stage is made of."""
    return {
        name: x for part in revision.stages.values() for name, x in getattr(part, kind).items()
    }


def _affected(before: Revision, after: Revision) -> set[str]:
    """Stages that differ, and all that read what they write."""
    one, two = before.stages, after.stages
    differ = {
        name
        for name in {**one, **two}
        if name not in one or name not in two or one[name].recipe != two[name].recipe
    }
    return downstream({**one, **two}, differ)


def downstream(stages: dict[str, Part], names: Iterable[str]) -> set[str]:
    """These stages, and all that read what they write."""
    found = set(names)
    grown = True
    while grown:
        written = {out for name in found if name in stages for out in stages[name].outputs}
        more = {name for name, part in stages.items() if part.inputs & written} - found
        found |= more
        grown = bool(more)
    return found
