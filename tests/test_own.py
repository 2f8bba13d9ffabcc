"""A user's own images, in every form in which they may come, and everything wrong with them."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nicelab.errors import InputError
from nicelab.images.datasets import Collection, Data, Own, read
from nicelab.images.preparation import Preparation, prepare
from test_datasets import idx

RNG = np.random.default_rng(0)
LEVELS = RNG.integers(0, 256, (12, 6, 8), np.uint8)
COLOURS = RNG.integers(0, 256, (12, 6, 8, 3), np.uint8)
LABELS = np.arange(12) % 3


def collection(folder: Path, **changes: object) -> Collection:
    usual = {"title": "Mine", "height": 6, "width": 8, "colour": False, "test": 4}
    return read(Data(dataset="own", own=Own(**usual | changes)), Path(), folder)


def as_archive(folder: Path) -> None:
    np.savez(folder / "x.npz", images=LEVELS, labels=LABELS)


def as_idx(folder: Path) -> None:
    (folder / "train-images-idx3-ubyte").write_bytes(idx(LEVELS))
    zipped = gzip.compress(idx(LABELS.astype(np.uint8)))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(zipped)


def as_pictures(folder: Path) -> None:
    """Named so that the order of the names is that of the images, class by class."""
    for k, (image, label) in enumerate(zip(LEVELS, LABELS, strict=True)):
        place = folder / f"class {label}"
        place.mkdir(exist_ok=True)
        Image.fromarray(image).save(place / f"{k:03d}.png")


FORMS = {"archive": as_archive, "idx": as_idx, "pictures": as_pictures}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_images_in_every_form(tmp_path: Path, form: str) -> None:
    FORMS[form](tmp_path)
    found = collection(tmp_path)
    assert (found.title, found.shape, found.test) == ("Mine", (1, 6, 8), None)
    order = np.argsort(LABELS, kind="stable") if form == "pictures" else np.arange(12)
    np.testing.assert_array_equal(found.images.pixels, LEVELS.reshape(12, -1)[order])
    np.testing.assert_array_equal(found.images.labels, LABELS[order])
    named = ("class 0", "class 1", "class 2") if form == "pictures" else ("0", "1", "2")
    assert found.classes == named


def test_colours_come_channel_by_channel(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=COLOURS)
    found = collection(tmp_path, colour=True)
    assert (found.shape, found.classes, found.images.labels) == ((3, 6, 8), (), None)
    expected = COLOURS.transpose(0, 3, 1, 2).reshape(12, -1)
    np.testing.assert_array_equal(found.images.pixels, expected)


def test_colours_become_grey_and_other_sizes_are_scaled(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.full((3, 20, 30, 3), 77, np.uint8))
    assert (collection(tmp_path).images.pixels == np.full((3, 48), 77)).all()


def test_a_test_set_stays_apart(tmp_path: Path) -> None:
    parts = {"images": LEVELS[:8], "labels": LABELS[:8]}
    parts |= {"test_images": LEVELS[8:], "test_labels": LABELS[8:]}
    np.savez(tmp_path / "x.npz", **parts)
    data = prepare(collection(tmp_path), Preparation(validation=3, seed=0), test=4)
    np.testing.assert_array_equal(data.test_pixels, LEVELS[8:].reshape(4, -1))
    assert len(data.training_pixels) == 5


def test_a_test_set_is_set_apart(tmp_path: Path) -> None:
    """Every image is in one part alone, with its own label; the split is that of the seed."""
    as_archive(tmp_path)
    one, two = (
        prepare(collection(tmp_path), Preparation(validation=3, seed=0), test=4) for _ in range(2)
    )
    assert [len(one.pixels(part)) for part in ("training", "validation", "test")] == [5, 3, 4]
    np.testing.assert_array_equal(one.test_pixels, two.test_pixels)
    known = {bytes(image): label for image, label in zip(LEVELS, LABELS, strict=True)}
    seen = []
    for part in ("training", "validation", "test"):
        for pixels, label in zip(one.pixels(part), one.labels(part), strict=True):
            assert known[bytes(pixels)] == label
            seen.append(bytes(pixels))
    assert sorted(seen) == sorted(known)


def nothing(_: Path) -> None:
    pass


def archive(**arrays: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: np.savez(folder / "x.npz", **arrays)


def text(name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no image")

    return write


def two_archives(folder: Path) -> None:
    as_archive(folder)
    np.savez(folder / "y.npz", images=LEVELS)


def loose_and_in_folders(folder: Path) -> None:
    as_pictures(folder)
    Image.fromarray(LEVELS[0]).save(folder / "one.png")


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (nothing, "holds no images: put an .npz, IDX files or pictures; see own/README.md"),
        (two_archives, "must hold one .npz, got x.npz, y.npz"),
        (archive(pictures=LEVELS), "x.npz must hold images, got pictures"),
        (archive(images=LEVELS / 255), r"images of .* must be uint8 .* got float64 of shape"),
        (archive(images=LEVELS[0]), r"must be uint8 of shape \(n, height, width\).*got uint8"),
        (archive(images=LEVELS[:0]), r"got uint8 of shape \(0, 6, 8\)"),
        (archive(images=LEVELS, labels=LABELS[:5]), r"labels of .* must be 12 integers from 0"),
        (archive(images=LEVELS, labels=LABELS - 1), "must be 12 integers from 0 to 255"),
        (archive(images=LEVELS, labels=LABELS + 0.5), "must be 12 integers from 0 to 255"),
        (archive(images=LEVELS, labels=LABELS, test_images=LEVELS), "labels of all images or of"),
        (text("x.npz"), "x.npz is not a NumPy archive"),
        (text("train-images-idx3-ubyte"), "train-images-idx3-ubyte is not an IDX file"),
        (text("train-images-idx3-ubyte.gz"), "train-images-idx3-ubyte.gz is not an IDX file"),
        (text("cats/1.png"), "cannot read the picture .*1.png"),
        (loose_and_in_folders, "got both: one.png and class 0"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(
    tmp_path: Path, put: Callable[[Path], None], message: str
) -> None:
    put(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        collection(tmp_path)
    assert "\n" not in error.value.message


def test_more_images_for_the_test_than_there_are(tmp_path: Path) -> None:
    as_archive(tmp_path)
    with pytest.raises(InputError, match=r"data\.own\.test must be <= 10 for these 12 images"):
        prepare(collection(tmp_path), Preparation(validation=3, seed=0), test=11)
