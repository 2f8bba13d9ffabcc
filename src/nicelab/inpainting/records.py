"""What the stages of the inpainting study pass on, and what its figures read.

Of k masks and n images of D pixels; an ascent has t states.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from nicelab.records import GAPS, Record, Text, Within, key

GREY = Within(0, 1)


@dataclass(frozen=True)
class Problems(Record):
    """Images, and the masks behind which they are put.

    Args:
        dataset: the name of the data.
        shape: of an image, (channels, height, width).
        images: the originals in [0, 1], (n, D).
        labels: their classes, (n,), if they have any.
        names: of the masks, (k,).
        mask_labels: what a reader calls them, (k,).
        hidden: the masks, which may differ from image to image, bool, (k, n, D).
        picture: the image that the figures show, counted from 0.
    """

    dataset: Text[np.ndarray, ""]
    shape: Int64[np.ndarray, " 3"]
    images: Annotated[Float32[np.ndarray, "images dimensions"], GREY]
    names: Text[np.ndarray, " masks"]
    mask_labels: Text[np.ndarray, " masks"]
    hidden: Bool[np.ndarray, "masks images dimensions"]
    picture: Int64[np.ndarray, ""]
    labels: UInt8[np.ndarray, " images"] | None = None


@dataclass(frozen=True)
class Fills(Record):
    """Completions without a flow, by the name of their method, each (k, n, D)."""

    images: dict[str, Annotated[Float32[np.ndarray, "masks images dimensions"], GREY]] = key("{}")


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

    images: Float32[np.ndarray, "masks images dimensions"]
    log_prob: Annotated[Float64[np.ndarray, "states masks images"], GAPS]
    error: Float64[np.ndarray, "states masks images"]
    residual: Annotated[Float32[np.ndarray, "states masks images"], GAPS]
    frames: Float32[np.ndarray, "states masks dimensions"] | None = None


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

    tolerance: Float64[np.ndarray, ""]
    sheet: Int64[np.ndarray, ""]
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

    mean: Float32[np.ndarray, "masks images dimensions"]
    chain_variance: Float32[np.ndarray, "masks images dimensions"]
    standard_deviation: Float32[np.ndarray, "masks images dimensions"]
    lower: Float32[np.ndarray, "masks images dimensions"]
    upper: Float32[np.ndarray, "masks images dimensions"]
    draw: Float32[np.ndarray, "masks images dimensions"]
    shown: Float32[np.ndarray, "masks chains dimensions"]
    outside: Annotated[Float64[np.ndarray, "masks images"], Within(0, 1)]
    acceptance: Annotated[Float64[np.ndarray, "masks images"], Within(0, 1)]
    chains: Int64[np.ndarray, ""]
    r_hat: Float64[np.ndarray, "masks long"]
    ess: Float64[np.ndarray, "masks long"]


@dataclass(frozen=True)
class MeanTrace(Record):
    """Means of an ascent over images, with their standard errors, each (t, k)."""

    log_prob: Annotated[Float64[np.ndarray, "states masks"], GAPS]
    log_prob_standard_error: Annotated[Float64[np.ndarray, "states masks"], GAPS]
    error: Annotated[Float64[np.ndarray, "states masks"], GAPS]
    error_standard_error: Annotated[Float64[np.ndarray, "states masks"], GAPS]


@dataclass(frozen=True)
class SheetTrace(Record):
    """The picture behind the sheet's mask: how a rule completes it, (D,), and log p, (t,)."""

    image: Float32[np.ndarray, " dimensions"] = key("")
    trace: Annotated[Float64[np.ndarray, " states"], GAPS]


@dataclass(frozen=True)
class Exhibits(Record):
    """What the figures show: one image, the picture, behind every mask, and mean traces.

    Args:
        shape: of the image, (channels, height, width).
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

    shape: Int64[np.ndarray, " 3"]
    names: Text[np.ndarray, " masks"]
    hidden: Bool[np.ndarray, "masks dimensions"]
    truth: Annotated[Float32[np.ndarray, " dimensions"], GREY]
    by: dict[str, Annotated[Float32[np.ndarray, "masks dimensions"], GREY]] = key("by_{}")
    mean: Float32[np.ndarray, "masks dimensions"]
    standard_deviation: Float32[np.ndarray, "masks dimensions"]
    chains: Float32[np.ndarray, "masks chains dimensions"]
    frames: Float32[np.ndarray, "frames masks dimensions"]
    frame_steps: Int64[np.ndarray, " frames"]
    sheet: Int64[np.ndarray, ""]
    traces: dict[str, MeanTrace] = key("{}")
    sheets: dict[str, SheetTrace] = key("sheet_{}")

    def squared_error(self, method: str, k: int) -> float:
        """Of the picture's completion behind mask k, mean over the hidden pixels."""
        return float(np.square(self.by[method][k] - self.truth)[self.hidden[k]].mean())
