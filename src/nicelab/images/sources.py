"""Where the known data sets are, and how they are fetched and read.

torchvision knows their archives, with MD5 sums, and how to read them. Fetching is ours: a mirror
is tried first, a place that does not answer is given up, and one line tells what was tried.
"""

import http.client
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from torchvision import datasets
from torchvision.datasets.utils import check_integrity, download_url

from nicelab.errors import InputError

MIRROR_VARIABLE = "NICELAB_MNIST_MIRROR"
TIMEOUT = 30  # seconds without an answer from a mirror
DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Archive:
    """A file to fetch: its name, its MD5 sum, and the public places that have it."""

    name: str
    md5: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A data set that torchvision knows.

    Args:
        title: its name for a reader.
        folder: where torchvision looks for the archives, in its folder.
        archives: the files.
        part: torchvision's training or test part, of a folder; it unpacks what lies there.
        classes: what the labels mean.
        first_label: the label of the first class.
    """

    title: str
    folder: str
    archives: Callable[[], list[Archive]]
    part: Callable[..., Any]
    classes: tuple[str, ...] = DIGITS
    first_label: int = 0

    def fetch(self, folder: Path, mirror: str | None) -> None:
        """Put the data set into an existing empty folder.

        Args:
            folder: where to put it.
            mirror: a folder or a URL with the archives, tried before the public places.

        Raises:
            InputError: nobody has the archives with the right MD5 sums.
        """
        local, raw = _local(mirror), folder / self.folder
        raw.mkdir(parents=True, exist_ok=True)
        for archive in self.archives():
            places = [place.rstrip("/") + "/" for place in archive.places]
            if mirror and not local:
                places.insert(0, mirror.rstrip("/") + "/")
            copy = local / archive.name if local else None
            if copy and check_integrity(copy, archive.md5):
                shutil.copyfile(copy, raw / archive.name)
            elif not (reasons := _fetch(archive, raw, places)):
                continue
            else:
                tried = [f"{local} ({archive.name} missing or altered)"] if local else []
                raise InputError(
                    f"could not download {self.title}; tried {', '.join(tried + places)}; set "
                    f"{MIRROR_VARIABLE} to a folder or URL with its archives, or set "
                    f"data.dataset to digits, which needs no download ({reasons})"
                )
        self._unpack(folder)

    def _unpack(self, folder: Path) -> None:
        for train in (True, False):
            self.part(folder, train=train, download=True)
        for pattern in ("*.gz", "*.zip"):
            for archive in folder.rglob(pattern):
                archive.unlink()

    def read(self, folder: Path, train: bool) -> tuple[np.ndarray, np.ndarray]:
        """Levels 0–255, (n, height, width), and labels from 0, (n,), both uint8.

        Raises:
            InputError: the folder does not hold the data set.
        """
        try:
            part = self.part(folder, train=train)
            labels = np.asarray(part.targets)
            levels = np.asarray(part.data)
        except (RuntimeError, OSError, ValueError, AssertionError) as error:
            raise InputError(
                f"{folder} does not hold {self.title} ({' '.join(str(error).split())}): "
                "run the download stage"
            ) from None
        labels = labels[:, 0] if labels.ndim == 2 else labels  # QMNIST has more than classes
        return levels, (labels - self.first_label).astype(np.uint8)


def _like_mnist(of: type[datasets.MNIST], title: str, classes: tuple[str, ...] = DIGITS) -> Source:
    def archives() -> list[Archive]:
        return [Archive(name, md5, tuple(of.mirrors)) for name, md5 in of.resources]

    return Source(title, f"{of.__name__}/raw", archives, of, classes)


def _emnist(split: str, title: str, classes: tuple[str, ...], first_label: int = 0) -> Source:
    def archives() -> list[Archive]:
        place, _, name = datasets.EMNIST.url.rpartition("/")
        return [Archive(name, datasets.EMNIST.md5, (place,))]

    def part(folder: Path, **how: bool) -> datasets.EMNIST:
        found = datasets.EMNIST(folder, split=split, **how)
        found.data = found.data.mT.contiguous()  # it is stored column by column
        return found

    return Source(title, "EMNIST/raw", archives, part, classes, first_label)


def _qmnist() -> Source:
    def archives() -> list[Archive]:
        parts = (datasets.QMNIST.resources[part] for part in ("train", "test"))
        files = [(*url.rpartition("/"), md5) for part in parts for url, md5 in part]
        return [Archive(name, md5, (place,)) for place, _, name, md5 in files]

    return Source("QMNIST", "QMNIST/raw", archives, datasets.QMNIST)


def _usps() -> Source:
    def archives() -> list[Archive]:
        parts = datasets.USPS.split_list.values()
        return [Archive(name, md5, (url.rpartition("/")[0],)) for url, name, md5 in parts]

    return Source("USPS", ".", archives, datasets.USPS)


LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
SOURCES = {
    "mnist": _like_mnist(datasets.MNIST, "MNIST"),
    "fashion_mnist": _like_mnist(
        datasets.FashionMNIST, "Fashion-MNIST", tuple(datasets.FashionMNIST.classes)
    ),
    "kmnist": _like_mnist(datasets.KMNIST, "Kuzushiji-MNIST", tuple(datasets.KMNIST.classes)),
    "emnist_digits": _emnist("digits", "EMNIST digits", DIGITS),
    "emnist_letters": _emnist("letters", "EMNIST letters", LETTERS, first_label=1),
    "qmnist": _qmnist(),
    "usps": _usps(),
}


def _local(mirror: str | None) -> Path | None:
    """The folder that a mirror names, None if it is on the web."""
    try:
        if not mirror or urlsplit(mirror).scheme in ("http", "https"):
            return None
        folder = Path(url2pathname(urlsplit(mirror).path)).expanduser()
    except ValueError:
        folder = Path()  # no URL
    if folder == Path() or not folder.is_dir():
        raise InputError(f"{MIRROR_VARIABLE} must be a folder or an http(s) URL, got {mirror}")
    return folder


def _fetch(archive: Archive, folder: Path, places: list[str]) -> str:
    """Fetch an archive from the first place that has it; what went wrong if none has."""
    reasons = []
    with _impatient():
        for place in places:
            try:
                download_url(place + archive.name, folder, archive.name, archive.md5)
            except (RuntimeError, ValueError, OSError, http.client.HTTPException) as error:
                reasons.append(" ".join(str(error).split()))
            else:
                return ""
    return "; ".join(reasons)


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up on a place that does not answer."""
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout)
