"""The two data sets: MNIST from a mirror, and scikit-learn's digits, which need no download."""

import http.client
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from torchvision.datasets import MNIST
from torchvision.datasets.utils import check_integrity

from nicelab.errors import InputError
from nicelab.images.levels import LEVELS, PIXELS, SIDE
from nicelab.pipeline.params import Section

MIRROR_VARIABLE = "NICELAB_MNIST_MIRROR"
TIMEOUT = 30  # seconds without an answer from a mirror
DIGITS_TEST = 297  # the last images of scikit-learn's set, kept for the test


class Data(Section):
    """Which images the pipeline works on."""

    dataset: Literal["mnist", "digits"]


TITLES = {"mnist": "MNIST", "digits": "scikit-learn digits"}


@dataclass(frozen=True)
class Images:
    """Grey levels 0–255, shape (n, 784), and labels, shape (n,), both uint8."""

    pixels: np.ndarray
    labels: np.ndarray


def download(dataset: str, folder: Path, mirror: str | None) -> None:
    """Put a data set into an existing empty folder, to be read by `read`.

    Args:
        dataset: `mnist` or `digits`; the digits come with scikit-learn.
        folder: where to put it.
        mirror: a folder or a URL with the four archives, tried before the public ones.

    Raises:
        InputError: no mirror has the archives with the right MD5 sums.
    """
    if dataset == "digits":
        return
    archives, places, missing = _local(mirror), list(MNIST.mirrors), []
    if archives:
        missing = _copy(archives, folder / "MNIST" / "raw")
    elif mirror:
        places.insert(0, mirror.rstrip("/") + "/")
    with _mirrors(places):
        try:
            MNIST(folder, download=True)
        except (RuntimeError, OSError, http.client.HTTPException) as error:
            tried = [f"{archives} ({', '.join(missing)} missing or altered)"] if archives else []
            reasons = " ".join(str(error).split())
            raise InputError(
                f"could not download MNIST; tried {', '.join(tried + places)}; set "
                f"{MIRROR_VARIABLE} to a folder or URL with its four .gz archives, or set "
                f"data.dataset to digits, which needs no download ({reasons})"
            ) from None
    for archive in folder.rglob("*.gz"):
        archive.unlink()


def _local(mirror: str | None) -> Path | None:
    """The folder that a mirror names, None if it is on the web."""
    if not mirror or urlsplit(mirror).scheme in ("http", "https"):
        return None
    folder = Path(url2pathname(urlsplit(mirror).path)).expanduser()
    if not folder.is_dir():
        raise InputError(f"{MIRROR_VARIABLE} must be a folder or an http(s) URL, got {mirror}")
    return folder


def _copy(archives: Path, folder: Path) -> list[str]:
    """Copy the archives with the right MD5 sum; return the names of the others.

    torchvision finds them in place and downloads the others alone.
    """
    folder.mkdir(parents=True)
    missing = []
    for name, md5 in MNIST.resources:
        if check_integrity(archives / name, md5):
            shutil.copyfile(archives / name, folder / name)
        else:
            missing.append(name)
    return missing


@contextmanager
def _mirrors(places: list[str]) -> Iterator[None]:
    """Have torchvision look in these places, and give up on one that does not answer."""
    public, timeout = MNIST.mirrors, socket.getdefaulttimeout()
    MNIST.mirrors = places
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        MNIST.mirrors = public
        socket.setdefaulttimeout(timeout)


def read(dataset: str, folder: Path) -> tuple[Images, Images]:
    """The images for training and validation, and those for the test, in their own order.

    Raises:
        InputError: the folder does not hold the data set.
    """
    if dataset == "digits":
        return _digits()
    try:
        parts = [MNIST(folder, train=train) for train in (True, False)]
    except (RuntimeError, OSError, ValueError, AssertionError) as error:
        raise InputError(
            f"{folder} does not hold MNIST ({' '.join(str(error).split())}): "
            "run the download stage"
        ) from None
    images, test = (
        Images(part.data.numpy().reshape(-1, PIXELS), part.targets.numpy().astype(np.uint8))
        for part in parts
    )
    return images, test


def _digits() -> tuple[Images, Images]:
    images = scikit_digits()
    cut = len(images.labels) - DIGITS_TEST
    return (
        Images(images.pixels[:cut], images.labels[:cut]),
        Images(images.pixels[cut:], images.labels[cut:]),
    )


def scikit_digits() -> Images:
    """The 1797 digits of 8 × 8 pixels and 17 levels, resampled to 28 × 28 and 256 levels."""
    digits = load_digits()
    levels = (digits.images * (LEVELS - 1) / 16).round().astype(np.uint8)
    pixels = np.stack([_resample(image) for image in levels]).reshape(-1, PIXELS)
    return Images(pixels, digits.target.astype(np.uint8))


def _resample(image: np.ndarray) -> np.ndarray:
    size = (SIDE, SIDE)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
