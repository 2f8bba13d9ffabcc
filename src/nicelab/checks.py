"""Whether the parameters of all stages are as they expect, before the first of them works.

A stage reads its own section alone, so a mistake in the last one's would wait for hours.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from nicelab.dimensions.config import Dimensions
from nicelab.discrete.config import Discrete
from nicelab.errors import InputError
from nicelab.flows import registry
from nicelab.flows.claims import Convolution
from nicelab.flows.names import chosen
from nicelab.gradients.config import Gradients
from nicelab.images import shapes
from nicelab.images.datasets import Data
from nicelab.images.preparation import Preparation
from nicelab.importance.config import Importance
from nicelab.inpainting import classifier
from nicelab.inpainting.ascent_study import Ascending
from nicelab.inpainting.fills import Filling
from nicelab.inpainting.hmc_study import Chains
from nicelab.inpainting.problems import Masking
from nicelab.likelihood.diagnostics import Diagnosis
from nicelab.likelihood.evaluation import Evaluation
from nicelab.likelihood.recipe import Training
from nicelab.likelihood.sampling import Sampling
from nicelab.pipeline.params import load, read_all
from nicelab.tandem.config import Tandem

SECTIONS = MappingProxyType(
    {
        "data": Data,
        "prepare": Preparation,
        "evaluate": Evaluation,
        "diagnose": Diagnosis,
        "sample": Sampling,
        "mask": Masking,
        "classifier": classifier.Recipe,
        "fill": Filling,
        "ascend": Ascending,
        "posterior": Chains,
        "convolution": Convolution,
        "importance": Importance,
        "tandem": Tandem,
        "gradients": Gradients,
        "dimensions": Dimensions,
        "discrete": Discrete,
    }
)
OF_FAMILIES = ("families", "model", "train")


def require_valid(params: Path, masks: Path) -> None:
    """Check all sections of the parameters, and all masks.

    Args:
        params: the parameter file.
        masks: the folder of the pictures of masks.

    Raises:
        InputError: something is not as a stage expects; all that is wrong, in one line.
    """
    if found := list(_faults(params, masks)):
        raise InputError("; ".join(found) + f" ({params})")


def _faults(params: Path, masks: Path) -> Iterator[str]:
    """What is wrong, one after another."""
    sections, known = read_all(params), [*OF_FAMILIES, *SECTIONS]
    for name in sections:
        if name not in known:
            hint = get_close_matches(name, known, n=1)
            yield f"section {name} is unknown" + (f"; did you mean {hint[0]}?" if hint else "")
    unreadable = _fault(chosen, params)
    yield from unreadable
    for family in [] if unreadable else chosen(params):
        yield from _fault(registry.architecture, params, family)
        yield from _fault(load, params, "train", Training, family)
    for name, model in SECTIONS.items():
        faults = _fault(load, params, name, model)
        yield from faults
        if name == "mask" and not faults:
            masking = load(params, name, Masking)
            for mask in masking.masks:
                yield from _fault(masking.hidden, mask, masks, shapes.MNIST)


def _fault(read: Callable[..., object], *arguments: object) -> list[str]:
    """What is wrong with what is read, if anything."""
    try:
        read(*arguments)
    except InputError as error:
        return [error.message.removesuffix(f" ({arguments[0]})")]
    return []
