"""What the figures of the inpainting study show: one image behind every mask, and mean traces."""

import numpy as np

from nicelab.inpainting.ascent_study import SHEETS
from nicelab.inpainting.records import Exhibits, MeanTrace, SheetTrace, Trace
from nicelab.inpainting.scores import Study

FRAMES = 30  # of the animation


def exhibits(study: Study) -> Exhibits:
    """The picture's completions, its ascent and its chains, and means of all ascents."""
    problems, ascents, posterior = study.problems, study.ascents, study.posterior
    picture, corrupted = int(problems.picture), study.corrupted
    frames = ascents.traces["grey"].frames
    steps = np.unique(np.geomspace(1, len(frames), FRAMES).astype(int)) - 1
    return Exhibits(
        shape=problems.shape,
        names=problems.names,
        hidden=problems.hidden[:, picture],
        truth=problems.images[picture],
        by={
            method: corrupted.first(images.shape[1]).project(images)[:, picture].numpy()
            for method, images in study.completions().items()
        },
        mean=posterior.mean[:, picture],
        standard_deviation=posterior.standard_deviation[:, picture],
        chains=posterior.shown,
        frames=frames[steps],
        frame_steps=steps,
        sheet=ascents.sheet,
        traces={name: _mean(trace) for name, trace in ascents.traces.items()},
        sheets={rule: _sheet(ascents.traces[f"sheet_{rule}"], picture) for rule in SHEETS},
    )


def _mean(trace: Trace) -> MeanTrace:
    """Over images."""
    return MeanTrace(
        log_prob=trace.log_prob.mean(-1),
        log_prob_standard_error=_error(trace.log_prob),
        error=trace.error.mean(-1),
        error_standard_error=_error(trace.error),
    )


def _error(values: np.ndarray) -> np.ndarray:
    return values.std(-1, ddof=1) / np.sqrt(values.shape[-1])


def _sheet(trace: Trace, picture: int) -> SheetTrace:
    return SheetTrace(image=trace.images[0, picture], trace=trace.log_prob[:, 0, picture])
