"""Parameters of the study of gradients where variables are discrete."""

from typing import Annotated

from pydantic import Field

from nicelab.pipeline.params import Section

Positive = Annotated[float, Field(gt=0)]
FEWEST = 20  # batches of an estimator, whatever they cost


class Bits(Section):
    """Logits θ of independent bits, and the target t of f."""

    logits: Annotated[list[float], Field(min_length=1, max_length=10)]
    target: float


class Latent(Section):
    """Size and training of the latent-variable model, and the images that gradients are of."""

    codes: Annotated[int, Field(ge=1, le=10)]
    images: Annotated[int, Field(ge=1, le=1000)]
    steps: Annotated[int, Field(ge=1, le=100_000)]
    learning_rate: Positive


class Discrete(Section):
    """Both problems, and how the estimators are tuned and sampled."""

    bits: Bits
    latent: Latent
    temperature: Positive
    temperatures: Annotated[list[Positive], Field(min_length=1)]
    tuning: Annotated[int, Field(ge=100, le=1_000_000)]
    batch: Annotated[int, Field(ge=2, le=4096)]
    replicates: Annotated[int, Field(ge=FEWEST, le=1_000_000)]
    seed: Annotated[int, Field(ge=0)]
