from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from nicelab.importance.config import Importance
from nicelab.importance.records import RareEvent
from nicelab.importance.study import measure
from nicelab.pipeline.artifacts import read_metrics, write_metrics
from nicelab.pipeline.metrics import Metrics

CONFIG = Importance(
    start=5,
    target=10,
    plays=40,
    p=0.4,
    q=0.55,
    paths=500,
    shown=3,
    seed=0,
    defensive=0.1,
    cross_entropy={"paths": 1000, "rounds": 1, "plays": 10_000},
    splitting={"levels": 5, "groups": 10},
    coverage={"replicates": 1000, "played": 20, "points": 3},
)
Study = tuple[RareEvent, Metrics]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A small study, its metrics as figures read them."""
    record, metrics = measure(CONFIG)
    path = tmp_path_factory.mktemp("study") / "importance.json"
    write_metrics(path, metrics)
    return record, read_metrics(path)


@pytest.mark.parametrize("paths", [2, 5, 3000])
def test_running_estimates_of_however_few_paths(study: Study, paths: int) -> None:
    record, metrics = study
    relative = np.arange(paths) % 3.0
    walks = {name: replace(walk, relative=relative) for name, walk in record.walks.items()}
    draw = import_module("nicelab.figures.importance").draw
    axes = draw(replace(record, walks=walks), metrics).axes[0]
    n, running = axes.lines[1].get_data()
    assert n[0] == min(10, paths)
    assert n[-1] == paths
    assert running[-1] == pytest.approx(relative.mean())
    edge = axes.collections[1].get_paths()[0].vertices
    half = 1.96 * relative.std(ddof=1) / paths**0.5
    assert edge[edge[:, 0] == paths, 1].max() == pytest.approx(relative.mean() + half)


def test_figures_show_the_ladder_by_its_labels(study: Study, tmp_path: Path) -> None:
    """In the order of the labels, which are those of the metrics and nowhere else."""
    record, metrics = study
    methods = metrics["methods"]
    labels = {name: f"method {k}" for k, name in enumerate(metrics["labels"]["methods"])}
    metrics = Metrics({**metrics, "labels": {**metrics["labels"], "methods": labels}}, tmp_path)
    ladder, paths, weights = (
        import_module(f"nicelab.figures.{name}").draw(record, metrics)
        for name in ("ladder", "paths", "weights")
    )
    varied = [labels[name] for name in labels if methods[name]["work"].value > 0]
    assert [text.get_text() for text in ladder.axes[0].get_yticklabels()] == varied
    drawn = [label for name, label in labels.items() if name in record.walks]
    for figure in (paths, weights):
        titles = [axes.get_title("left").split("\n")[0] for axes in figure.axes]
        assert [title for title in titles if title] == drawn


def test_coverage_names_its_intervals_and_the_hitting_time(study: Study) -> None:
    record, metrics = study
    left, right = import_module("nicelab.figures.coverage").draw(record, metrics).axes
    texts = [text.get_text() for text in left.get_legend().get_texts()]
    assert {"normal", "log-normal", "the sheet's q"} < set(texts)
    law = record.hitting_time
    title = f"exact; mean {law.mean:.1f}, standard deviation {law.deviation:.1f}"
    assert right.get_title("left") == title
