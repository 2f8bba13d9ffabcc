from pathlib import Path

import numpy as np
import pytest

from nicelab.errors import InputError
from nicelab.pipeline import artifacts
from nicelab.statistics import Estimate

WEIGHTS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(4, np.float32)}


def test_arrays_come_back_and_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        artifacts.write_arrays(tmp_path / name, x=np.arange(5), label="MNIST")
    arrays = artifacts.read_arrays(tmp_path / "one.npz", "label", "x")
    assert str(arrays["label"]) == "MNIST"
    assert (arrays["x"] == np.arange(5)).all()
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_weights_come_back_and_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    header = {f"key{k}": k for k in range(20)}
    for k in range(5):
        artifacts.write_weights(tmp_path / f"{k}.safetensors", WEIGHTS, header)
    tensors, read = artifacts.read_weights(tmp_path / "0.safetensors")
    assert all((tensors[name] == WEIGHTS[name]).all() for name in WEIGHTS)
    assert header.items() <= read.items()
    assert len({artifacts.digest(path) for path in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize("position", [-1, 200])
def test_altered_weights_are_refused(tmp_path: Path, position: int) -> None:
    path = tmp_path / "w.safetensors"
    artifacts.write_weights(path, WEIGHTS, {})
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"w\.safetensors (was altered|is not a nicelab)"):
        artifacts.read_weights(path)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncated_weights_are_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "w.safetensors"
    artifacts.write_weights(path, WEIGHTS, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="is not a nicelab weights file"):
        artifacts.read_weights(path)


@pytest.mark.parametrize("keep", [0, 10, -30])
def test_truncated_arrays_are_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "x.npz"
    artifacts.write_arrays(path, x=np.arange(1000))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="is not a whole NumPy archive"):
        artifacts.read_arrays(path)


def test_a_bare_array_is_no_archive(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(3))
    with pytest.raises(InputError, match="is not a whole NumPy archive"):
        artifacts.read_arrays(tmp_path / "x.npy", "x")


def test_altered_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    artifacts.write_arrays(path, x=np.random.default_rng(0).random(1000))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a whole NumPy archive"):
        artifacts.read_arrays(path, "x")


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="is not a whole NumPy archive"):
        artifacts.read_arrays(tmp_path / "x.npz", "x")


@pytest.mark.parametrize(
    "read",
    [artifacts.read_arrays, artifacts.read_weights, artifacts.read_metrics, artifacts.read_table],
)
def test_missing_files_say_what_to_do(tmp_path: Path, read: object) -> None:
    with pytest.raises(InputError, match="gone.*dvc repro"):
        read(tmp_path / "gone")


def test_missing_arrays_are_named(tmp_path: Path) -> None:
    artifacts.write_arrays(tmp_path / "x.npz", x=np.arange(3))
    with pytest.raises(InputError, match="holds x but not y"):
        artifacts.read_arrays(tmp_path / "x.npz", "x", "y")


def test_metrics_hold_estimates_as_objects(tmp_path: Path) -> None:
    artifacts.write_metrics(tmp_path / "m.json", {"a": Estimate(1.5, 0.1, 9), "b": {"c": 2}})
    assert artifacts.read_metrics(tmp_path / "m.json") == {
        "a": Estimate(1.5, 0.1, 9),
        "b": {"c": 2},
    }


def test_an_entry_that_metrics_lack_is_named(tmp_path: Path) -> None:
    artifacts.write_metrics(tmp_path / "m.json", {"b": {"c": 2}})
    metrics = artifacts.read_metrics(tmp_path / "m.json")
    with pytest.raises(InputError, match=r"m\.json does not hold b\.d: make it again"):
        metrics["b"]["d"]
    assert "d" not in metrics["b"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_metrics_refuse_what_is_not_finite(tmp_path: Path, bad: float) -> None:
    with pytest.raises(InputError, match="not finite"):
        artifacts.write_metrics(tmp_path / "m.json", {"a": Estimate(bad, 0, 1)})
    assert not list(tmp_path.iterdir())


def test_metrics_refuse_other_objects(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="is no metric"):
        artifacts.write_metrics(tmp_path / "m.json", {"a": {1, 2}})


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_bad_metrics_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(InputError, match="holds"):
        artifacts.read_metrics(tmp_path / "m.json")


def test_tables_come_back(tmp_path: Path) -> None:
    artifacts.write_table(tmp_path / "t.csv", [{"epoch": 1, "nats": 0.5}])
    table = artifacts.read_table(tmp_path / "t.csv")
    assert table["epoch"].tolist() == [1.0]
    assert table["nats"].tolist() == [0.5]


def write_half(path: Path) -> None:
    with artifacts.writing(path) as temporary:
        temporary.write_text("half")
        raise KeyError


def write_half_a_folder(path: Path) -> None:
    with artifacts.writing_folder(path) as temporary:
        (temporary / "part").write_text("half")
        raise KeyError


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("old")
    with pytest.raises(KeyError):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_folder_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_half_a_folder(tmp_path / "raw")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", ["file/inside", "folder"])
def test_unwritable_outputs(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    path = tmp_path / target
    with pytest.raises(InputError, match=f"cannot write .*{target}"):
        artifacts.write_metrics(path, {})
    with pytest.raises(InputError, match=f"cannot write .*{target}"):
        artifacts.require_writable(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="cannot write"),
        artifacts.writing_folder(tmp_path / "file" / "raw"),
    ):
        pass


def test_digest_is_that_of_dvc(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert artifacts.digest(tmp_path / "x") == "900150983cd24fb0d6963f7d28e17f72"
