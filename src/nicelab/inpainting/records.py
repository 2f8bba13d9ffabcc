"""What the stages of the inpainting study pass on, and what its figures read.

Of k masks and n images of D pixels; an ascent has t states.
"""

from dataclasses import dataclass

import numpy as np

from nicelab.records import Record, key


@dataclass(frozen=True)
class Problems(Record):
    """Images, and the masks behind which they are put.

    Args:
        dataset: the name of the data.
        images: the originals in [0, 1], (n, D).
        labels: their digits, (n,).
        names: of the masks, (k,).
        mask_labels: what a reader calls them, (k,).
        hidden: the masks, which may differ from image to image, bool, (k, n, D).
        picture: the image that the figures show, counted from 0.
    """

    dataset: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    names: np.ndarray
    mask_labels: np.ndarray
    hidden: np.ndarray
    picture: np.ndarray


@dataclass(frozen=True)
class Fills(Record):
    """Completions without a flow, by the name of their method, each (k, n, D)."""

    images: dict[str, np.ndarray] = key("{}")


@dataclass(frozen=True)
class Trace(Record):
    """An ascent of the first m images behind k masks.

    Args:
        images: the completions, grey, (k, m, D).
        log_prob: in nats, (t, k, m).
        error: mean squared error on the hidden pixels, (t, k, m).
        residual: size of the projected gradient, (t, k, m).
        frames: every state of one of the images, (t, k, D).
    """

    images: np.ndarray
    log_prob: np.ndarray
    error: np.ndarray
    residual: np.ndarray
    frames: np.ndarray | None = None


@dataclass(frozen=True)
class Ascents(Record):
    """All ascents.

    Args:
        tolerance: of our rule's projected gradient.
        sheet: which mask is the sheet's.
        traces: `grey` and `gaussian`, our rule from either start; `as_printed`,
            `gradient_zeroed`, `paper` and `paper_released`, the published rules on the first
            images; `sheet_as_printed` and `sheet_gradient_zeroed`, all images behind the sheet's
            mask (k = 1) with the sheet's number of steps, and `sheet_decaying`, ours there.
    """

    tolerance: np.ndarray
    sheet: np.ndarray
    traces: dict[str, Trace] = key("{}")


@dataclass(frozen=True)
class Posterior(Record):
    """What the chains of each image say, as grey in [0, 1].

    Args:
        mean: over draws and chains, (k, n, D).
        chain_variance: of the chains' means about it, (k, n, D).
        standard_deviation: of all draws, (k, n, D).
        lower: least value in the last draws of the chains, (k, n, D).
        upper: largest value in them, (k, n, D).
        draw: the last of the first chain, (k, n, D).
        shown: the last of each chain of the picture, (k, chains, D).
        outside: share of hidden pixels outside [0, 1] in the last draws, (k, n).
        acceptance: mean probability of acceptance, (k, n).
        chains: of each image.
        r_hat: the worst R-hat over some scalars of long chains of the first m images, (k, m).
        ess: the least effective sample size of the same, (k, m).
    """

    mean: np.ndarray
    chain_variance: np.ndarray
    standard_deviation: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    draw: np.ndarray
    shown: np.ndarray
    outside: np.ndarray
    acceptance: np.ndarray
    chains: np.ndarray
    r_hat: np.ndarray
    ess: np.ndarray


@dataclass(frozen=True)
class MeanTrace(Record):
    """Means of an ascent over images, with their standard errors, each (t, k)."""

    log_prob: np.ndarray
    log_prob_standard_error: np.ndarray
    error: np.ndarray
    error_standard_error: np.ndarray


@dataclass(frozen=True)
class SheetTrace(Record):
    """The picture behind the sheet's mask: how a rule completes it, (D,), and log p, (t,)."""

    image: np.ndarray = key("")
    trace: np.ndarray


@dataclass(frozen=True)
class Exhibits(Record):
    """What the figures show: one image, the picture, behind every mask, and mean traces.

    Args:
        names: of the masks, (k,).
        hidden: its masks, bool, (k, D).
        truth: the original, (D,).
        by: its completions by the name of their method, each (k, D).
        mean: over the draws of its chains, (k, D).
        standard_deviation: of the draws of its chains, (k, D).
        chains: the last draw of each of its chains, (k, chains, D).
        frames: some states of the ascent from grey, (f, k, D).
        frame_steps: their steps, (f,).
        sheet: which mask is the sheet's.
        traces: of each of the `Ascents`.
        sheets: of each of the sheet's rules.
    """

    names: np.ndarray
    hidden: np.ndarray
    truth: np.ndarray
    by: dict[str, np.ndarray] = key("by_{}")
    mean: np.ndarray
    standard_deviation: np.ndarray
    chains: np.ndarray
    frames: np.ndarray
    frame_steps: np.ndarray
    sheet: np.ndarray
    traces: dict[str, MeanTrace] = key("{}")
    sheets: dict[str, SheetTrace] = key("sheet_{}")

    def squared_error(self, method: str, k: int) -> float:
        """Of the picture's completion behind mask k, mean over the hidden pixels."""
        return float(np.square(self.by[method][k] - self.truth)[self.hidden[k]].mean())
