"""What a person sees while a model trains."""

import sys
import time
from typing import SupportsFloat

import click
from tqdm import tqdm


class TrainingProgress:
    """A progress bar on a terminal; elsewhere one line per epoch.

    Args:
        epochs: number of epochs in all.
        images: number of images that each trains on.
        silent: show nothing, because another process of the same training does.
    """

    def __init__(self, epochs: int, images: int, silent: bool = False) -> None:
        self._epochs, self._per_epoch = epochs, images
        self._silent = silent
        self._terminal = sys.stderr.isatty() and not silent
        self._bar = tqdm(
            total=epochs * images, unit=" images", unit_scale=True, disable=not self._terminal
        )
        self._begin()

    def _begin(self) -> None:
        self._images, self._start, self._last = 0, time.perf_counter(), 0.0

    def resume(self, epochs: int) -> None:
        """So many epochs were done before the training was interrupted."""
        self._bar.update(epochs * self._per_epoch)
        if not self._silent:
            click.echo(f"going on after epoch {epochs}", err=self._terminal)

    def step(self, images: int, log_likelihood: SupportsFloat) -> None:
        """A batch of this size had this mean log-likelihood in nats."""
        self._images += images
        self._last = time.perf_counter()
        if self._bar.update(images):
            self._bar.set_postfix_str(f"{float(log_likelihood):.1f} nats")

    def epoch(self, row: dict[str, float]) -> None:
        """An epoch ended with this row of the training curve."""
        rate = self._images / (self._last - self._start)
        line = (
            f"epoch {row['epoch']:.0f}/{self._epochs}: "
            f"training {row['training_log_likelihood']:.2f}, "
            f"validation {row['validation_log_likelihood']:.2f} "
            f"± {row['validation_standard_error']:.2f} nats, {rate:.0f} images/s"
        )
        if self._terminal:
            self._bar.write(line, file=sys.stderr)
        elif not self._silent:
            click.echo(line)
        self._begin()
