import gzip
import http.server
import struct
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import MNIST

from nicelab.errors import InputError
from nicelab.images import datasets
from nicelab.images.datasets import Data, Own, download, read
from nicelab.images.preparation import Preparation, prepare

COUNTS = {"train": 30, "t10k": 20}


def data(name: str) -> Data:
    own = Own(title="mine", height=28, width=28, colour=False, test=9)
    return Data(dataset=name, own=own)


def idx(array: np.ndarray) -> bytes:
    """The IDX format: magic number, sizes, bytes."""
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small archives in MNIST's format, which torchvision is told to expect."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    rng = np.random.default_rng(0)
    resources = []
    for part, n in COUNTS.items():
        for name, array in (
            ("images-idx3", rng.integers(0, 256, (n, 28, 28), np.uint8)),
            ("labels-idx1", rng.integers(0, 10, n, np.uint8)),
        ):
            path = folder / f"{part}-{name}-ubyte.gz"
            path.write_bytes(gzip.compress(idx(array)))
            resources.append((path.name, md5(path.read_bytes()).hexdigest()))
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nothing answers there
    return folder


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


@pytest.fixture
def server(mirror: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=mirror)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def check(raw: Path) -> None:
    found = read(data("mnist"), raw, Path())
    images, test = found.images, found.test
    assert (found.title, found.shape) == ("MNIST", (1, 28, 28))
    assert images.pixels.shape == (30, 784)
    assert test.pixels.shape == (20, 784)
    assert test.labels.dtype == images.pixels.dtype == np.uint8
    assert not list(raw.rglob("*.gz"))


def test_a_folder_as_mirror(mirror: Path, raw: Path) -> None:
    download("mnist", raw, str(mirror))
    check(raw)


def test_a_file_url_as_mirror(mirror: Path, raw: Path) -> None:
    download("mnist", raw, mirror.as_uri())
    check(raw)


def test_a_web_server_as_mirror(server: str, raw: Path) -> None:
    download("mnist", raw, server)
    check(raw)


def test_no_mirror_names_what_was_tried_and_the_ways_out(mirror: Path, raw: Path) -> None:
    with pytest.raises(InputError) as error:
        download("mnist", raw, None)
    for part in ("http://127.0.0.1:9/", "NICELAB_MNIST_MIRROR", "data.dataset to digits"):
        assert part in error.value.message
    assert "\n" not in error.value.message


@pytest.mark.parametrize("damage", ["truncate", "alter", "remove"])
def test_a_damaged_archive_is_refused(mirror: Path, raw: Path, damage: str) -> None:
    archive = mirror / "t10k-labels-idx1-ubyte.gz"
    content = archive.read_bytes()
    archive.unlink()
    if damage == "truncate":
        archive.write_bytes(content[:-5])
    elif damage == "alter":
        archive.write_bytes(content[:-9] + b"x" + content[-8:])
    with pytest.raises(
        InputError, match="could not download MNIST; tried .*t10k-labels.*missing or altered"
    ):
        download("mnist", raw, str(mirror))


def test_the_public_mirrors_come_second(
    mirror: Path, raw: Path, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(MNIST, "mirrors", [server + "/"])
    download("mnist", raw, str(tmp_path / "empty"))
    check(raw)
    assert MNIST.mirrors == [server + "/"]


def test_a_mirror_that_is_no_folder(raw: Path) -> None:
    with pytest.raises(InputError, match=r"must be a folder or an http\(s\) URL, got /nowhere"):
        download("mnist", raw, "/nowhere")


def test_a_folder_without_the_data(raw: Path) -> None:
    with pytest.raises(InputError, match="does not hold MNIST"):
        read(data("mnist"), raw, Path())


def test_digits_need_no_download(raw: Path) -> None:
    download("digits", raw, None)
    found = read(data("digits"), raw, Path())
    images, test = found.images, found.test
    assert len(images.labels) + len(test.labels) == 1797
    assert len(test.labels) == datasets.DIGITS_TEST
    assert images.pixels.shape == (1500, 784)
    assert images.pixels.max() == 255


def test_digits_keep_their_picture() -> None:
    """A resampled digit has as much ink as the original."""
    from sklearn.datasets import load_digits

    original = load_digits().images[:100] / 16
    pixels = read(data("digits"), Path(), Path()).images.pixels[:100].reshape(-1, 28, 28) / 255
    assert np.corrcoef(pixels.mean((1, 2)), original.mean((1, 2)))[0, 1] > 0.99


def test_prepare_splits_what_is_not_for_the_test() -> None:
    given = read(data("digits"), Path(), Path())
    found = prepare(given, Preparation(validation=250, seed=0), test=9)
    assert found.training_pixels.shape == (1250, 784)
    assert found.validation_labels.shape == (250,)
    assert (found.test_pixels == given.test.pixels).all()
    both = np.concatenate([found.training_pixels, found.validation_pixels])
    assert sorted(map(bytes, both)) == sorted(map(bytes, given.images.pixels))


def test_prepare_must_leave_images_to_train_on() -> None:
    given = read(data("digits"), Path(), Path())
    with pytest.raises(InputError, match=r"prepare\.validation must be <= 1498 .* got 1499"):
        prepare(given, Preparation(validation=1499, seed=0), test=9)
