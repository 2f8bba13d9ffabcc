"""A user's own images: an .npz, IDX files like MNIST's, or pictures, a folder a class or none.

own/images.npz                    images (n, h, w) or (n, h, w, 3), uint8; labels (n,) if there
are any; test_images and test_labels if there is a test set
own/train-images-idx3-ubyte       also .gz; train-labels-idx1-ubyte if there are labels;
t10k-… if there is a test set
own/cats/1.png, own/dogs/2.png    pictures in any common format; or own/1.png without classes
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, UnidentifiedImageError
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor
from torchvision.datasets.utils import extract_archive

from nicelab.errors import InputError
from nicelab.images.shapes import Shape

HINT = "see own/README.md"
MOST_CLASSES = 256


@dataclass(frozen=True)
class Images:
    """Levels 0–255, (n, D), uint8, and labels from 0, (n,), uint8, if there are any."""

    pixels: np.ndarray
    labels: np.ndarray | None


def read(folder: Path, shape: Shape) -> tuple[Images, Images | None, tuple[str, ...]]:
    """The images in a folder in this shape, those for the test if they are apart, and classes.

    Raises:
        InputError: there are none, or some cannot be read.
    """
    archives = sorted(folder.glob("*.npz"))
    idx = _idx_file(folder, "train-images-idx3-ubyte")
    if len(archives) > 1:
        raise InputError(f"{folder} must hold one .npz, got {', '.join(x.name for x in archives)}")
    if archives:
        parts = _arrays(archives[0])
    elif idx:
        parts = _idx(folder)
    else:
        return _pictures(folder, shape)
    (images, labels), *test = parts
    if test and (labels is None) != (test[0][1] is None):
        raise InputError(f"{folder} must hold labels of all images or of none; {HINT}")
    known = [y for _, y in parts if y is not None]
    classes = tuple(map(str, range(1 + max(int(y.max()) for y in known)))) if known else ()
    found = [Images(_fit(x, shape), y) for x, y in [(images, labels), *test]]
    return found[0], found[1] if test else None, classes


Part = tuple[np.ndarray, np.ndarray | None]


def _arrays(path: Path) -> list[Part]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # noqa: BLE001 - a damaged archive raises whatever it likes
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is not a NumPy archive ({reason}); {HINT}") from None
    if "images" not in arrays:
        raise InputError(f"{path} must hold images, got {', '.join(arrays) or 'nothing'}; {HINT}")
    names = [x for x in ("images", "test_images") if x in arrays]
    return [
        (
            _levels(arrays[name], f"{name} of {path}"),
            _labels(arrays.get(label), len(arrays[name]), f"{label} of {path}"),
        )
        for name, label in ((x, x.replace("images", "labels")) for x in names)
    ]


def _idx(folder: Path) -> list[Part]:
    parts = []
    for part in ("train", "t10k"):
        images = _idx_file(folder, f"{part}-images-idx3-ubyte")
        labels = _idx_file(folder, f"{part}-labels-idx1-ubyte")
        if images:
            levels = _levels(_tensor(images), str(images))
            known = _labels(_tensor(labels), len(levels), str(labels)) if labels else None
            parts.append((levels, known))
    return parts


def _idx_file(folder: Path, name: str) -> Path | None:
    return next((x for x in (folder / name, folder / f"{name}.gz") if x.is_file()), None)


def _tensor(path: Path) -> np.ndarray:
    try:
        if path.suffix == ".gz":
            with TemporaryDirectory() as folder:
                return read_sn3_pascalvincent_tensor(extract_archive(path, folder)).numpy()
        return read_sn3_pascalvincent_tensor(path).numpy()
    except Exception as error:  # noqa: BLE001 - a damaged file raises whatever it likes
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is not an IDX file ({reason}); {HINT}") from None


def _levels(images: np.ndarray, name: str) -> np.ndarray:
    colour = images.ndim == 4 and images.shape[-1] == 3
    if images.dtype != np.uint8 or not (images.ndim == 3 or colour) or 0 in images.shape:
        raise InputError(
            f"{name} must be uint8 of shape (n, height, width) or (n, height, width, 3), got "
            f"{images.dtype} of shape {images.shape}; {HINT}"
        )
    return images


def _labels(labels: np.ndarray | None, count: int, name: str) -> np.ndarray | None:
    if labels is None:
        return None
    whole = np.issubdtype(labels.dtype, np.integer)
    if not whole or labels.shape != (count,) or labels.min() < 0 or labels.max() >= MOST_CLASSES:
        raise InputError(
            f"{name} must be {count} integers from 0 to {MOST_CLASSES - 1}, got {labels.dtype} of "
            f"shape {labels.shape}; {HINT}"
        )
    return labels.astype(np.uint8)


def _pictures(folder: Path, shape: Shape) -> tuple[Images, None, tuple[str, ...]]:
    """All pictures in the folder, or in its folders, each of which is then a class."""
    folders = sorted(x for x in folder.glob("*/") if any(_files(x)))
    loose = list(_files(folder))
    if not folders and not loose:
        raise InputError(f"{folder} holds no images: put an .npz, IDX files or pictures; {HINT}")
    if folders and loose:
        raise InputError(
            f"{folder} must hold pictures or a folder of them for each class, got both: "
            f"{loose[0].name} and {folders[0].name}; {HINT}"
        )
    if len(folders) > MOST_CLASSES:
        raise InputError(f"{folder} must hold at most {MOST_CLASSES} classes, got {len(folders)}")
    if loose:
        return Images(np.stack([_picture(x, shape) for x in loose]), None), None, ()
    files = [(x, k) for k, of in enumerate(folders) for x in _files(of)]
    pixels = np.stack([_picture(x, shape) for x, _ in files])
    labels = np.array([k for _, k in files], np.uint8)
    return Images(pixels, labels), None, tuple(x.name for x in folders)


def _files(folder: Path) -> Iterator[Path]:
    return (x for x in sorted(folder.iterdir()) if x.suffix.lower() in IMG_EXTENSIONS)


def _picture(path: Path, shape: Shape) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            return _resized(picture, shape)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"cannot read the picture {path} ({reason})") from None


def _fit(images: Iterable[np.ndarray], shape: Shape) -> np.ndarray:
    """Images in this shape, (n, D)."""
    return np.stack([_resized(Image.fromarray(image), shape) for image in images])


def _resized(picture: Image.Image, shape: Shape) -> np.ndarray:
    """Levels (D,) of a picture, channel by channel, scaled to the shape if it has another."""
    channels, height, width = shape
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    levels = np.asarray(picture)
    return (levels if channels == 1 else levels.transpose(2, 0, 1)).reshape(-1)
