from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from jaxtyping import Float64, UInt8

from nicelab.errors import InputError
from nicelab.pipeline import artifacts, files
from nicelab.records import GAPS, Record, Within
from nicelab.statistics import Estimate

WEIGHTS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(4, np.float32)}


def test_arrays_come_back_and_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        artifacts.write_arrays(tmp_path / name, x=np.arange(5), label="MNIST")
    arrays = artifacts.read_arrays(tmp_path / "one.npz")
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
    assert len({files.digest(path) for path in tmp_path.iterdir()}) == 1


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
        artifacts.read_arrays(tmp_path / "x.npy")


def test_altered_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    artifacts.write_arrays(path, x=np.random.default_rng(0).random(1000))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a whole NumPy archive"):
        artifacts.read_arrays(path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="is not a whole NumPy archive"):
        artifacts.read_arrays(tmp_path / "x.npz")


@pytest.mark.parametrize(
    "read",
    [artifacts.read_arrays, artifacts.read_weights, artifacts.read_metrics, artifacts.read_table],
)
def test_missing_files_say_what_to_do(tmp_path: Path, read: object) -> None:
    with pytest.raises(InputError, match="gone.*dvc repro"):
        read(tmp_path / "gone")


@dataclass(frozen=True)
class Found(Record):
    x: UInt8[np.ndarray, "n d"]
    y: Annotated[Float64[np.ndarray, " n"], Within(0, 9)]
    gaps: Annotated[Float64[np.ndarray, " _"], GAPS] | None = None


RIGHT = {"x": np.zeros((3, 2), np.uint8), "y": np.arange(3.0)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": None}, "x is missing or unknown"),
        ({"z": np.ones(1)}, "z is missing or unknown"),
        (
            {"x": np.zeros((3, 2))},
            r"x must be uint8 of .* got float64 of shape \(3, 2\)",
        ),
        (
            {"x": np.zeros(3, np.uint8)},
            r"x must be .* \(n, d\), got uint8 of shape \(3,\)",
        ),
        ({"y": np.zeros(4)}, r"y must be float64 of shape \(n\), got float64 of shape \(4,\)"),
        ({"y": np.array([0, 1, np.nan])}, "y must be finite, got NaN or infinity"),
        ({"y": np.array([0, 1, 10.0])}, r"y must be between 0 and 9, got 0.0 to 10.0"),
        ({"y": np.array("text")}, r"y must be float64 of shape \(n\), got <U4 of shape \(\)"),
        ({"y": np.ones(3, complex)}, "y must be float64"),
    ],
)
def test_contents_that_are_not_declared_are_refused(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    path, arrays = tmp_path / "x.npz", RIGHT | changes
    artifacts.write_arrays(path, **{name: x for name, x in arrays.items() if x is not None})
    with pytest.raises(InputError, match=rf"x\.npz is not what is read here: {message}") as error:
        artifacts.read_record(path, Found)
    assert "\n" not in error.value.message


def test_contents_that_are_declared_come_back(tmp_path: Path) -> None:
    record = Found(**RIGHT, gaps=np.array([np.nan, 1]))
    artifacts.write_record(tmp_path / "x.npz", record)
    found = artifacts.read_record(tmp_path / "x.npz", Found)
    np.testing.assert_array_equal(found.gaps, record.gaps)
    with pytest.raises(ValueError, match="y must be finite"):
        artifacts.write_record(tmp_path / "x.npz", Found(x=RIGHT["x"], y=np.full(3, np.inf)))


def test_archives_that_were_made_by_others_are_refused(tmp_path: Path) -> None:
    """Also those whose arrays were exchanged, which no checksum of an archive notices."""
    path = tmp_path / "x.npz"
    artifacts.write_arrays(path, **RIGHT)
    with np.load(path) as archive:
        arrays = dict(archive)
    for other in (RIGHT, arrays | {"y": arrays["y"] + 1}, arrays | {"y": arrays["y"].view("i8")}):
        np.savez(path, **other)
        with pytest.raises(InputError, match="was altered: its arrays do not have the digest"):
            artifacts.read_arrays(path)


def test_weights_whose_header_was_altered_are_refused(tmp_path: Path) -> None:
    """The type of a tensor, which would reinterpret its numbers, and what the file says of it."""
    path = tmp_path / "w.safetensors"
    for before, after in ((b'"F32"', b'"I32"'), (b"MNIST", b"KNIST")):
        artifacts.write_weights(path, WEIGHTS, {"dataset": "MNIST"})
        content = path.read_bytes()
        assert before in content
        path.write_bytes(content.replace(before, after))
        with pytest.raises(InputError, match="was altered: its weights and header do not have"):
            artifacts.read_weights(path)


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
    with files.writing(path) as temporary:
        temporary.write_text("half")
        raise KeyError


def write_half_a_folder(path: Path) -> None:
    with files.writing_folder(path) as temporary:
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
        files.require_writable(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="cannot write"),
        files.writing_folder(tmp_path / "file" / "raw"),
    ):
        pass


def test_digest_is_that_of_dvc(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert files.digest(tmp_path / "x") == "900150983cd24fb0d6963f7d28e17f72"
