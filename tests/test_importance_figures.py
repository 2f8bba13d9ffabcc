from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from nicelab.importance.config import Importance
from nicelab.importance.records import Estimates, RareEvent
from nicelab.importance.study import measure
from nicelab.pipeline.artifacts import read_metrics, write_metrics
from nicelab.pipeline.metrics import Metrics
from nicelab.statistics import Estimate

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
    cross_entropy={"paths": 1000, "rounds": 1},
    splitting={"levels": 5, "groups": 10, "killed": 0.1, "effective": 0.5, "replicates": 20},
    rarer={"scales": (0.5, 1, 2, 3, 4)},
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


def test_the_ladder_says_when_learning_pays(study: Study, tmp_path: Path) -> None:
    """And draws the plays with learning and without."""
    record, metrics = study
    ladder = import_module("nicelab.figures.ladder")
    learned = metrics["methods"]["learned"]

    def changed(**entries: object) -> Metrics:
        kept = {name: x for name, x in learned.items() if name != "pays_off_below"}
        methods = {**metrics["methods"], "learned": {**kept, **entries}}
        return Metrics({**metrics, "methods": methods}, tmp_path)

    assert "no error is small enough" in ladder.finding(changed())
    below = Estimate(0.0012, 0.0001, 9)
    told = ladder.finding(changed(pays_off_below=below, rival="brownian"))
    assert told.endswith("pays only below 0.12 %, else the Brownian h-transform takes fewer plays")
    work = ladder.draw(record, metrics).axes[1]
    playing = learned["work"].value / 0.01**2
    ends = [tuple(line.get_xdata()) for line in work.lines if len(line.get_xdata()) == 2]
    assert len(ends) == 3
    assert (playing, playing + learned["learning"]) in [pytest.approx(pair) for pair in ends]


def test_titles_follow_the_metrics(study: Study, tmp_path: Path) -> None:
    """That of the weights, by hits; that of the coverage, by where it is least."""
    record, metrics = study
    known = {name: method for name, method in metrics["methods"].items() if "hits" in method}
    order = sorted(known, key=lambda name: -known[name]["exact_relative_error"].value)
    draw = import_module("nicelab.figures.weights").draw
    for hits, said in ((range(11), "more and more"), (range(11, 0, -1), "fewer hits may")):
        counts = dict(zip(order, hits, strict=True))
        methods = {
            name: {**method, **({"hits": counts[name]} if name in counts else {})}
            for name, method in metrics["methods"].items()
        }
        title = draw(record, Metrics({**metrics, "methods": methods}, tmp_path)).get_suptitle()
        assert said in title
    shares = Estimates(value=np.array([0.9, 0.123, 0.5]), standard_error=np.full(3, 0.01))
    changed = replace(record, coverage={**record.coverage, "normal": shares})
    title = import_module("nicelab.figures.coverage").draw(changed, metrics).get_suptitle()
    assert title.endswith(f"the least is 12.3 %, at q = {record.coverage_q[1]:.3f}")
