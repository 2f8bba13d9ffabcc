"""What the figures of the inpainting study show: one image behind every mask, and mean traces."""

import numpy as np
import torch

from nicelab.inpainting.corrupted import Corrupted
from nicelab.inpainting.scores import Arrays, completions

FRAMES = 30  # of the animation


def exhibits(problems: Arrays, fills: Arrays, ascents: Arrays, posterior: Arrays) -> Arrays:
    """The arrays of the figures.

    Returns:
        `names`, `hidden`, (k, D), and `truth`, (D,). Of the picture's image: completions
        `by_{method}`, (k, D); `frames` of the ascent from grey, (f, k, D), at `frame_steps`, (f,);
        `chains`, (k, chains, D), `mean` and `standard_deviation`, (k, D). Of each ascent
        `{ascent}_log_prob` and `{ascent}_error`, means over images with `…_standard_error`,
        (t, k). `sheet`, which mask is the sheet's; of its rules the image `sheet_{rule}`, (D,),
        and its log p `…_trace`, (t,).
    """
    picture = int(problems["picture"])
    truth, hidden = (torch.from_numpy(problems[name]) for name in ("images", "hidden"))
    corrupted = Corrupted.hide(truth, hidden)
    arrays = {"names": problems["names"], "hidden": problems["hidden"], "truth": truth[picture]}
    for method, images in completions(fills, ascents, posterior).items():
        arrays[f"by_{method}"] = corrupted.project(images)[:, picture]
    for name in ("mean", "standard_deviation"):
        arrays[name] = posterior[name][:, picture]
    arrays["chains"] = posterior["shown"]
    steps = np.unique(np.geomspace(1, len(ascents["grey_frames"]), FRAMES).astype(int)) - 1
    arrays |= {
        "frames": ascents["grey_frames"][steps],
        "frame_steps": steps,
        "sheet": ascents["sheet"],
    }
    for key in [key for key in ascents if key.endswith(("_log_prob", "_error"))]:
        values = ascents[key]
        arrays[key] = values.mean(-1)
        arrays[f"{key}_standard_error"] = values.std(-1, ddof=1) / np.sqrt(values.shape[-1])
    for rule in ("as_printed", "gradient_zeroed"):
        arrays[f"sheet_{rule}"] = ascents[f"sheet_{rule}_images"][0, picture]
        arrays[f"sheet_{rule}_trace"] = ascents[f"sheet_{rule}_log_prob"][:, 0, picture]
    return {name: np.asarray(array) for name, array in arrays.items()}
